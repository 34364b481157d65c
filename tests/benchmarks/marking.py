"""What the marking of a delivered picture costs: bytes and CPU, embedded and beside.

    python -m tests.benchmarks.marking WORK [--rounds 12]

WORK keeps the photographs, as for `edge_pixels`. Masters are signed by one identity and
renditions by another, as in production: once with a generated master, once with one edited from
an upload, whose history is a manifest longer. CPU time counts, not the clock.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

from edge.encode import Effort, encode
from edge.render import read_header, render
from imagepipe.credentials import (
    CredentialSigner,
    PictureMetadata,
    PreparedParent,
    SigningIdentity,
    SourceType,
    build_xmp,
    create_development_identities,
)
from imagepipe.urlspec import MIME_TYPES, Transform
from tests.benchmarks.edge_pixels import LIMITS, interval, sources

KINDS = ("avif", "webp", "jpg")
WIDTHS = (320, 800, 1600)
ACTIONS = ("c2pa.resized", "c2pa.transcoded")
RECIPE = "ab" * 32
METADATA = PictureMetadata(
    title="Toadstool",
    alt="A mushroom with a red cap",
    creator="Somebody",
    credit="The Harbour Room",
    rights="CC0 1.0",
    source_type=SourceType.TRAINED_ALGORITHMIC_MEDIA,
    ai_system="diffusers",
)


class Signers:
    """The identity of a CMS and that of an edge, under one root."""

    def __init__(self, folder: Path) -> None:
        create_development_identities(folder)
        self.cms = CredentialSigner(SigningIdentity.load(folder / "cms"))
        self.edge = CredentialSigner(SigningIdentity.load(folder / "edge"))

    def generated(self, data: bytes) -> PreparedParent:
        """The parent of renditions of a generated master."""
        master = self.cms.sign_created(
            data,
            "image/jpeg",
            title="Toadstool",
            generator="diffusers 0.42",
            model="tiny",
            recipe_sha256=RECIPE,
            source_type=SourceType.TRAINED_ALGORITHMIC_MEDIA,
        )
        return self.edge.prepare_parent(master, "image/jpeg")

    def edited(self, data: bytes) -> PreparedParent:
        """The parent of renditions of a master that was edited from an upload."""
        upload = self.cms.sign_opened(
            data, "image/jpeg", title="Photo", source_type=SourceType.DIGITAL_CAPTURE
        )
        master = self.cms.sign_edited(
            data,
            "image/jpeg",
            self.cms.prepare_parent(upload, "image/jpeg"),
            title="Inpainted",
            generator="diffusers 0.42",
            model="tiny",
            recipe_sha256=RECIPE,
            source_type=SourceType.COMPOSITE_WITH_TRAINED_ALGORITHMIC_MEDIA,
        )
        return self.edge.prepare_parent(master, "image/jpeg")


def cpu_of(work: Callable[[], bytes], spent: list[float]) -> bytes:
    started = time.process_time()
    made = work()
    spent.append((time.process_time() - started) * 1000)
    return made


def main(work: Path, rounds: int) -> None:
    pictures = [path.read_bytes() for path in sources(work)["p2"]]
    signers = Signers(work / "marking-identities")
    spent: dict[str, list[float]] = defaultdict(list)
    sizes: dict[tuple[str, int], list[int]] = defaultdict(list)
    added: dict[str, list[int]] = defaultdict(list)
    for data in pictures:
        parents = {"generated": signers.generated(data), "edited": signers.edited(data)}
        header = read_header(data, LIMITS)
        for width in WIDTHS:
            image, _ = render(data, header, Transform(width))
            image = image.copy_memory()
            for kind in KINDS:
                for _ in range(rounds):
                    packet = cpu_of(lambda: build_xmp(METADATA), spent["XMP"])
                body = encode(image, kind, packet=packet, effort=Effort.fast())
                sizes[kind, width].append(len(body))
                bare = len(encode(image, kind, packet=b"", effort=Effort.fast()))
                added["XMP"].append(len(body) - bare)
                for history, parent in parents.items():
                    measure(signers.edge, body, kind, parent, history, rounds, spent, added)
    print("| | median CPU ms (95 %; n) | bytes added to the picture | bytes beside |")
    print("|---|---|---|---|")
    for name, values in spent.items():
        middle, low, high = interval(values)
        inside, beside = added[name], added[f"{name}, beside"]
        print(
            f"| {name} | {middle:.2f} ({low:.2f}–{high:.2f}; {len(values)}) "
            f"| {statistics.median(inside):.0f} (most {max(inside)}) "
            f"| {statistics.median(beside or [0]):.0f} |"
        )
    print("\n| bytes with XMP, median | " + " | ".join(f"{w} px" for w in WIDTHS) + " |")
    print("|---|" + "---|" * len(WIDTHS))
    for kind in KINDS:
        row = (f"{statistics.median(sizes[kind, width]):,.0f}" for width in WIDTHS)
        print(f"| {kind} | {' | '.join(row)} |")


def measure(
    edge: CredentialSigner,
    body: bytes,
    kind: str,
    parent: PreparedParent,
    history: str,
    rounds: int,
    spent: dict[str, list[float]],
    added: dict[str, list[int]],
) -> None:
    mime = MIME_TYPES[kind]
    inside, outside = f"{history}, embedded", f"{history}, sidecar"
    for _ in range(rounds):
        signed = cpu_of(
            lambda: edge.sign_rendition(body, mime, parent, ACTIONS), spent[inside]
        )
        beside = cpu_of(
            lambda: edge.sign_rendition_beside(body, mime, parent, ACTIONS), spent[outside]
        )
    added[inside].append(len(signed) - len(body))
    added[outside].append(0)
    added[f"{outside}, beside"].append(len(beside))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("work", type=Path)
    parser.add_argument("--rounds", type=int, default=12)
    options = parser.parse_args()
    main(options.work, options.rounds)
