from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageCms

from imagepipe.generation import pictures
from imagepipe.generation.exceptions import InvalidRequest


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    output = io.BytesIO()
    image.save(output, kind, **options)
    return output.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "AVIF"])
def test_usual_formats_are_read(kind: str) -> None:
    picture = pictures.read_picture(encoded(Image.new("RGB", (30, 20), "red"), kind))
    assert (picture.size, picture.mode) == ((30, 20), "RGB")
    red, green, _ = picture.getpixel((5, 5))
    assert red > 240 and green < 15


def test_a_png_is_read_to_the_bit() -> None:
    values = np.random.default_rng(1).integers(0, 256, (20, 30, 3), np.uint8)
    assert (np.asarray(pictures.read_picture(encoded(Image.fromarray(values)))) == values).all()


def test_a_turned_picture_is_set_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    data = encoded(Image.new("RGB", (30, 20)), "JPEG", exif=exif)
    assert pictures.read_picture(data).size == (20, 30)


def test_transparency_is_white_in_pictures_and_black_in_masks() -> None:
    image = Image.new("RGBA", (4, 4), (255, 255, 255, 0))
    image.paste((255, 255, 255, 255), (0, 0, 2, 4))
    assert pictures.read_picture(encoded(image)).getextrema() == ((255, 255),) * 3
    mask = pictures.read_mask(encoded(image), (4, 4))
    assert (mask.getpixel((0, 0)), mask.getpixel((3, 3))) == (255, 0)


def test_other_profiles_are_converted() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    red = Image.new("RGB", (4, 4), (200, 60, 40))
    assert pictures.read_picture(encoded(red, icc_profile=srgb)).getpixel((0, 0)) == (
        200, 60, 40,
    )  # fmt: skip
    for broken in (profile.tobytes(), b"no profile"):
        assert pictures.read_picture(encoded(red, icc_profile=broken)).mode == "RGB"


@pytest.mark.parametrize(
    "data",
    [b"", b"x", b"GIF89a", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"%PDF-1.7"],
    ids=repr,
)
def test_other_files_are_refused(data: bytes) -> None:
    with pytest.raises(InvalidRequest, match="The sketch cannot be read. Use a PNG"):
        pictures.read_picture(data, "The sketch")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_damaged_files_are_refused_or_read_but_never_crash(kind: str) -> None:
    values = np.random.default_rng(2).integers(0, 256, (40, 40, 3), np.uint8)
    data = encoded(Image.fromarray(values), kind)
    rng = np.random.default_rng(3)
    for _ in range(60):
        changed = bytearray(data)
        for place in rng.integers(0, len(data), 4):
            changed[place] = rng.integers(256)
        try:
            assert pictures.read_picture(bytes(changed)).mode == "RGB"
        except InvalidRequest:
            pass
    with pytest.raises(InvalidRequest):
        pictures.read_picture(data[: len(data) // 2])


def test_bombs_are_refused_before_they_are_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    data = encoded(Image.new("RGB", (200, 200)))
    monkeypatch.setattr(pictures, "MAX_PIXELS", 10_000)
    with pytest.raises(InvalidRequest, match="too large: 200×200"):
        pictures.read_picture(data)
    monkeypatch.setattr(pictures, "MAX_BYTES", 100)
    with pytest.raises(InvalidRequest, match="has more than"):
        pictures.read_picture(data)


def test_masks_are_scaled_but_not_stretched() -> None:
    data = encoded(Image.new("L", (50, 30), 255))
    assert pictures.read_mask(data, (100, 60)).size == (100, 60)
    with pytest.raises(InvalidRequest, match="The mask is 50×30, but 60×60 is needed"):
        pictures.read_mask(data, (60, 60))
