from __future__ import annotations

import hashlib
import io
import struct
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image, ImageCms, PngImagePlugin

from imagepipe.postproduction.encode import encode_master, srgb_profile, to_srgb

PICTURE = Image.merge("RGB", [Image.linear_gradient("L").rotate(90 * i) for i in range(3)])


def test_master_is_a_tagged_png_with_the_same_pixels() -> None:
    master = encode_master(PICTURE)

    again = Image.open(io.BytesIO(master.data))
    assert (again.format, again.mode, again.size) == ("PNG", "RGB", (256, 256))
    assert again.tobytes() == PICTURE.tobytes()
    assert again.info["icc_profile"] == srgb_profile()
    assert (master.mime, master.width, master.height) == ("image/png", 256, 256)
    assert master.sha256 == hashlib.sha256(master.data).hexdigest()


def test_another_process_gives_the_same_bytes() -> None:
    code = (
        "from PIL import Image; from imagepipe.postproduction.encode import encode_master;"
        "p = Image.merge('RGB', [Image.linear_gradient('L').rotate(90 * i) for i in range(3)]);"
        "print(encode_master(p).sha256)"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == encode_master(PICTURE).sha256


def test_profile_is_a_valid_srgb_profile_without_a_date_of_today() -> None:
    profile = ImageCms.ImageCmsProfile(io.BytesIO(srgb_profile()))
    assert "sRGB" in ImageCms.getProfileDescription(profile)
    assert struct.unpack(">6H", srgb_profile()[24:36]) == (2000, 1, 1, 0, 0, 0)


def test_metadata_of_the_source_is_left_behind() -> None:
    text = PngImagePlugin.PngInfo()
    text.add_text("parameters", "secret prompt")
    output = io.BytesIO()
    PICTURE.save(output, "PNG", pnginfo=text)
    source = Image.open(output)
    assert source.info["parameters"] == "secret prompt"

    assert b"secret prompt" not in encode_master(source).data


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("RGBA", "RGBA"),
        ("LA", "RGBA"),
        ("L", "RGB"),
        ("P", "RGB"),
        ("1", "RGB"),
        ("CMYK", "RGB"),
    ],
)
def test_modes(mode: str, expected: str) -> None:
    image = PICTURE.convert("L").convert("LA") if mode == "LA" else PICTURE.convert(mode)
    assert Image.open(io.BytesIO(encode_master(image).data)).mode == expected


def test_alpha_is_kept() -> None:
    image = PICTURE.copy()
    image.putalpha(Image.linear_gradient("L"))
    assert to_srgb(image).tobytes() == image.tobytes()


def test_other_profiles_are_converted() -> None:
    lab = ImageCms.createProfile("LAB")
    image = ImageCms.profileToProfile(
        PICTURE, ImageCms.createProfile("sRGB"), lab, outputMode="LAB"
    )
    assert image is not None
    wide = _linear_profile()
    tagged = PICTURE.copy()
    tagged.info["icc_profile"] = wide

    converted = to_srgb(tagged)

    assert converted.mode == "RGB"
    assert "icc_profile" not in converted.info
    assert not np.array_equal(np.asarray(converted), np.asarray(PICTURE))


@pytest.mark.parametrize("profile", [b"", b"x", b"\0" * 128, srgb_profile()[:100]])
def test_unreadable_profiles_are_ignored(profile: bytes) -> None:
    image = PICTURE.copy()
    image.info["icc_profile"] = profile
    assert to_srgb(image).tobytes() == PICTURE.tobytes()


def _linear_profile() -> bytes:
    """The sRGB profile with its red and blue colorants exchanged: plainly not sRGB."""
    profile = bytearray(srgb_profile())
    red, blue = profile.index(b"rXYZ"), profile.index(b"bXYZ")
    profile[red : red + 4], profile[blue : blue + 4] = b"bXYZ", b"rXYZ"
    return bytes(profile)
