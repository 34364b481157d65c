from __future__ import annotations

import hashlib
import io
import struct
import warnings
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, features

from imagepipe.assets.exceptions import UnusablePicture
from imagepipe.assets.inspection import inspect_picture


def picture(side: int = 48, mode: str = "RGB") -> Image.Image:
    return Image.linear_gradient("L").resize((side * 2, side)).convert(mode)


def encoded(name: str, image: Image.Image | None = None, **options: object) -> bytes:
    output = io.BytesIO()
    (image or picture()).save(output, name, **options)
    return output.getvalue()


def long_gif(frames: int = 400) -> bytes:
    first, *rest = (Image.new("RGB", (2, 2), (n % 7 * 30, 0, 9)) for n in range(frames))
    return encoded("GIF", first, save_all=True, append_images=rest)


def huge_png(side: int = 30_000) -> bytes:
    """A valid header of a picture whose pixels would take gigabytes."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        checksum = zlib.crc32(kind + body)
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", checksum)

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(1000))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels)
        + chunk(b"IEND", b"")
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "mime"),
    [
        ("JPEG", "image/jpeg"),
        ("PNG", "image/png"),
        ("WEBP", "image/webp"),
        ("GIF", "image/gif"),
        pytest.param(
            "AVIF",
            "image/avif",
            marks=pytest.mark.skipif(
                "avif" not in features.modules or not features.check("avif"),
                reason="this Pillow is built without AVIF",
            ),
        ),
    ],
)
def test_accepted_formats(name: str, mime: str) -> None:
    data = encoded(name)

    facts = inspect_picture(data)

    assert facts.mime == mime
    assert (facts.width, facts.height) == (96, 48)
    assert facts.bytes == len(data)
    assert facts.sha256 == hashlib.sha256(data).hexdigest()
    assert (facts.has_alpha, facts.orientation) == (False, 1)
    assert facts.phash is None or len(facts.phash) == 16


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "L", "1", "I;16"])
def test_png_modes(mode: str) -> None:
    image = (
        Image.frombytes("I;16", (8, 8), bytes(128))
        if mode == "I;16"
        else picture(8).convert(mode)
    )
    assert inspect_picture(encoded("PNG", image)).has_alpha is (mode in {"RGBA", "LA"})


def test_palette_transparency_counts_as_alpha() -> None:
    data = encoded("PNG", picture(8).convert("P"), transparency=0)
    assert inspect_picture(data).has_alpha is True


@pytest.mark.parametrize(
    ("orientation", "shown"), [(1, (96, 48)), (3, (96, 48)), (6, (48, 96))]
)
def test_orientation_turns_the_display_size(orientation: int, shown: tuple[int, int]) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    facts = inspect_picture(encoded("JPEG", exif=exif))
    assert (facts.width, facts.height) == (96, 48)
    assert facts.orientation == orientation
    assert facts.display_size == shown


def test_phash_is_that_of_the_picture_as_shown() -> None:
    pytest.importorskip("imagehash")
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = encoded("PNG", picture().rotate(90, expand=True), exif=exif)
    assert inspect_picture(turned).phash == inspect_picture(encoded("PNG")).phash


@pytest.mark.parametrize(
    ("data", "code"),
    [
        pytest.param(b"", "empty", id="empty"),
        pytest.param(
            b"<!DOCTYPE html><html><script>alert(1)</script>", "not-a-picture", id="html"
        ),
        pytest.param(b"\xef\xbb\xbf\n <HTML>", "not-a-picture", id="html-with-mark"),
        pytest.param(b"<svg xmlns='x'/>", "not-a-picture", id="svg"),
        pytest.param(b"<?xml version='1.0'?><svg/>", "not-a-picture", id="xml"),
        pytest.param(b"%PDF-1.7", "format", id="pdf"),
        pytest.param(b"MZ" + bytes(100), "format", id="program"),
        pytest.param(b"hello", "format", id="text"),
        pytest.param(encoded("BMP"), "format", id="bmp"),
        pytest.param(encoded("TIFF"), "format", id="tiff"),
        pytest.param(encoded("ICO"), "format", id="ico"),
        pytest.param(encoded("PPM"), "format", id="ppm"),
        pytest.param(encoded("EPS"), "format", id="postscript"),
        pytest.param(encoded("JPEG")[:-200], "damaged", id="truncated-jpeg"),
        pytest.param(encoded("PNG")[:-40], "damaged", id="truncated-png"),
        pytest.param(encoded("WEBP")[:-20], "damaged", id="truncated-webp"),
        pytest.param(huge_png(), "too-many-pixels", id="huge-png"),
        pytest.param(huge_png(11_000), "too-many-pixels", id="large-png"),
        pytest.param(
            encoded("PNG", save_all=True, append_images=[picture().rotate(90)]),
            "animated",
            id="animated-png",
        ),
        pytest.param(
            encoded("AVIF", save_all=True, append_images=[picture().rotate(90)]),
            "animated",
            id="animated-avif",
        ),
        pytest.param(long_gif(), "too-many-frames", id="long-gif"),
        pytest.param(long_gif()[:-60], "too-many-frames", id="cut-long-gif"),
        pytest.param(
            encoded("GIF", save_all=True, append_images=[picture().rotate(90)])[:-40],
            "damaged",
            id="cut-animated-gif",
        ),
    ],
)
def test_unusable_files_are_refused(data: bytes, code: str) -> None:
    with pytest.raises(UnusablePicture) as caught:
        inspect_picture(data)
    assert caught.value.code == code
    assert str(caught.value) == caught.value.message
    assert caught.value.message.endswith(".")


def test_flipped_bit_in_a_png_is_found() -> None:
    data = bytearray(encoded("PNG"))
    data[len(data) // 2] ^= 1
    with pytest.raises(UnusablePicture) as caught:
        inspect_picture(bytes(data))
    assert caught.value.code == "damaged"


def test_limits_can_be_set_and_say_the_numbers() -> None:
    data = encoded("PNG")
    with pytest.raises(UnusablePicture, match="has 96×48 pixels; at most 0 million"):
        inspect_picture(data, max_pixels=100)
    with pytest.raises(UnusablePicture, match="The file has 2 MB; at most 1 MB are possible"):
        inspect_picture(bytes(2 * 1024 * 1024), max_bytes=1024 * 1024)
    assert inspect_picture(data, max_pixels=96 * 48).width == 96


def test_a_huge_picture_raises_no_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(UnusablePicture):
            inspect_picture(huge_png(12_000))


@given(st.sampled_from(["JPEG", "PNG", "WEBP", "GIF"]), st.data())
@settings(deadline=None, max_examples=150)
def test_any_damage_is_refused_or_decoded(name: str, draw: st.DataObject) -> None:
    data = bytearray(encoded(name, picture(8)))
    for _ in range(draw.draw(st.integers(1, 6))):
        data[draw.draw(st.integers(0, len(data) - 1))] = draw.draw(st.integers(0, 255))
    cut = draw.draw(st.integers(0, len(data)))
    try:
        facts = inspect_picture(bytes(data[: max(1, cut)]))
    except UnusablePicture as refusal:
        assert refusal.code
    else:
        assert facts.width > 0


@given(st.binary(max_size=400))
@settings(deadline=None)
def test_random_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(UnusablePicture):
        inspect_picture(data)


@pytest.mark.parametrize("name", ["GIF", "WEBP"])
def test_short_animations_can_be_used(name: str) -> None:
    more = [picture().rotate(90), picture().rotate(180)]
    facts = inspect_picture(
        encoded(name, save_all=True, append_images=more, duration=50, lossless=True)
    )
    still = inspect_picture(encoded(name, lossless=True))

    assert (facts.frames, facts.width, facts.mime) == (3, 96, f"image/{name.lower()}")
    assert (still.frames, still.phash) == (1, facts.phash)


@pytest.mark.parametrize("name", ["GIF", "WEBP"])
def test_an_animation_has_few_pixels_in_all(name: str) -> None:
    first, *more = (Image.new("RGB", (3000, 3000), hue) for hue in ("red", "lime", "blue"))
    with pytest.raises(UnusablePicture, match="25 million") as caught:
        inspect_picture(encoded(name, first, save_all=True, append_images=more))
    assert caught.value.code == "too-many-frames"
