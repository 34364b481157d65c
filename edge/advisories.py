"""Versions of the libraries that decode pictures, and what is known against old ones.

Looked up on 2026-11-24:

- libvips: its change log and https://github.com/lovell/sharp/security/advisories/GHSA-f88m-g3jw-g9cj
- libheif: https://github.com/strukturag/libheif/security/advisories and its releases
- libwebp: https://nvd.nist.gov/vuln/detail/CVE-2023-4863
- libpng: https://nvd.nist.gov/vuln/detail/CVE-2026-33416 and CVE-2026-33636
"""

from __future__ import annotations

import ctypes
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Final

Version = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Advisory:
    """What is wrong with a library before a version."""

    library: str
    mended: Version
    numbers: str


ADVISORIES: Final = (
    Advisory("libvips", (8, 18, 1), "CVE-2026-2913"),
    Advisory(
        "libvips",
        (8, 18, 3),
        "CVE-2026-33327, CVE-2026-33328, CVE-2026-35590, CVE-2026-35591, CVE-2026-69242",
    ),
    Advisory("libwebp", (1, 3, 2), "CVE-2023-4863"),
    Advisory("libheif", (1, 22, 0), "CVE-2026-32738, CVE-2026-32882"),
    Advisory("libheif", (1, 23, 1), "CVE-2026-50142"),
    Advisory("libheif", (1, 23, 3), "GHSA-x8r2-mggj-j6wr, GHSA-w7mc-p8jc-p853"),
    Advisory("libheif", (1, 23, 5), "GHSA-v8qw-hwjv-44hw, GHSA-qwpf-5wf7-r996"),
    Advisory("libpng", (1, 6, 56), "CVE-2026-33416, CVE-2026-33636"),
)


def known_against(
    versions: Mapping[str, Version], advisories: tuple[Advisory, ...] = ADVISORIES
) -> list[str]:
    """A sentence for every library that is older than an advisory's mended version."""
    found = []
    for library, version in versions.items():
        open_ones = [
            item
            for item in advisories
            if item.library == library and version < item.mended
        ]
        if open_ones:
            least = max(item.mended for item in open_ones)
            numbers = ", ".join(item.numbers for item in open_ones)
            found.append(
                f"{library} {_text(version)} has known advisories ({numbers}); "
                f"it needs {_text(least)} or newer"
            )
    return found


def versions() -> dict[str, Version]:
    """What workers will decode with, as far as the libraries tell.

    In pyvips' own wheel libheif, libwebp and libpng are parts of libvips, and its version
    stands for them. Other libraries are asked in another process, because this one will fork.
    """
    try:
        return {"libvips": _numbers(metadata.version("pyvips-binary"))}
    except metadata.PackageNotFoundError:
        asked = subprocess.run(
            [sys.executable, "-m", "edge.advisories"], capture_output=True, timeout=60
        )
    told = [line.split() for line in asked.stdout.decode("utf-8", "replace").splitlines()]
    return {line[0]: _numbers(line[1]) for line in told if len(line) == 2}


def loaded() -> dict[str, Version]:
    """The libraries of this process; those of a distribution are files of their own."""
    from edge.vips import pyvips

    found = {"libvips": (pyvips.version(0), pyvips.version(1), pyvips.version(2))}
    for path in _files():
        for library, (name, ask, read) in _ASKED.items():
            if re.match(name, path.name):
                try:
                    number = int(getattr(ctypes.CDLL(str(path)), ask)())
                except (OSError, AttributeError):
                    continue
                found[library] = min(read(number), found.get(library, read(number)))
    return found


def _numbers(text: str) -> Version:
    """The first three numbers of a version."""
    major, minor, patch, *_ = [*map(int, re.findall(r"\d+", text)), 0, 0, 0]
    return major, minor, patch


def _bytes(number: int) -> Version:
    """0xMMmmpp"""
    return number >> 16 & 0xFF, number >> 8 & 0xFF, number & 0xFF


def _bytes_and_more(number: int) -> Version:
    """0xMMmmpp00"""
    return _bytes(number >> 8)


def _decimal(number: int) -> Version:
    """Mmmpp, in decimal digits"""
    return number // 10_000, number // 100 % 100, number % 100


#: Library: its file's name, the function that tells its version, and how to read that.
_ASKED: Final = {
    "libheif": (r"libheif[-.]", "heif_get_version_number", _bytes_and_more),
    "libwebp": (r"libwebp(decoder)?[-.]", "WebPGetDecoderVersion", _bytes),
    "libpng": (r"libpng\d*[-.]", "png_access_version_number", _decimal),
}


def _files() -> list[Path]:
    """Shared libraries of this process."""
    try:
        lines = Path("/proc/self/maps").read_text("utf-8", "replace").splitlines()
    except OSError:
        return []
    places = {line[line.index("/") :] for line in lines if "/" in line}
    return sorted(Path(place) for place in places if ".so" in place)


def _text(version: Version) -> str:
    return ".".join(map(str, version))


if __name__ == "__main__":
    for library, version in loaded().items():
        print(library, _text(version))  # noqa: T201
