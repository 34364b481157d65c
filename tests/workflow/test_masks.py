"""Masks from browsers are hostile until they are read."""

from __future__ import annotations

import base64
import io
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from imagepipe.workflow import blobs, masks
from imagepipe.workflow.exceptions import InvalidBrief


def png(image: Image.Image) -> bytes:
    output = io.BytesIO()
    image.save(output, "PNG")
    return output.getvalue()


def kept(sha256: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(blobs.read(sha256))))


def test_transparent_is_black_and_what_was_drawn_white() -> None:
    drawn = Image.new("RGBA", (100, 50), (255, 255, 255, 0))
    ImageDraw.Draw(drawn).rectangle((10, 10, 19, 19), fill=(255, 255, 255, 255))
    mask = kept(masks.make((1000, 500), drawn=png(drawn)))
    assert mask.shape == (50, 100)
    assert mask.sum() == 100 * 255


def test_a_rectangle_is_as_large_as_it_says_and_adds_to_the_drawing() -> None:
    mask = kept(masks.make((200, 100), boxes=[(0.5, 0, 0.5, 1), (0, 0, 0.1, 0.1)]))
    assert (mask[:, 100:] == 255).all()
    assert (mask[:10, :20] == 255).all()
    assert mask.sum() == (100 * 100 + 20 * 10) * 255


@pytest.mark.parametrize(
    ("drawn", "message"),
    [
        (b"<svg/>", "cannot be read"),
        (png(Image.new("L", (100, 50)))[:-30], "cannot be read|Nothing is marked"),
        (png(Image.new("L", (50, 100), 255)), "another shape"),
        (png(Image.new("L", (100, 50), 0)), "Nothing is marked"),
        (png(Image.new("1", (5000, 2500), 1)), "at most 4096"),
        (b"\x89PNG\r\n\x1a\n" + bytes(3 * 1024 * 1024), "more than 1536 kB"),
    ],
)
def test_unusable_masks_are_refused_in_words(drawn: bytes, message: str) -> None:
    with pytest.raises(InvalidBrief, match=message) as caught:
        masks.make((1000, 500), drawn=drawn)
    assert caught.value.field == "mask"


def test_other_formats_than_png_are_not_decoded() -> None:
    output = io.BytesIO()
    Image.new("RGB", (100, 50), "white").save(output, "JPEG")
    with pytest.raises(InvalidBrief, match="cannot be read"):
        masks.make((1000, 500), drawn=output.getvalue())


def test_a_bomb_is_refused_before_it_is_decoded() -> None:
    def chunk(kind: bytes, body: bytes) -> bytes:
        crc = zlib.crc32(kind + body).to_bytes(4, "big")
        return len(body).to_bytes(4, "big") + kind + body + crc

    header = (60_000).to_bytes(4, "big") * 2 + b"\x08\x00\x00\x00\x00"
    body = chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")
    bomb = b"\x89PNG\r\n\x1a\n" + body
    with pytest.raises(InvalidBrief):
        masks.make((1000, 1000), drawn=bomb)


@pytest.mark.parametrize(
    "text", ["", "data:image/jpeg;base64,AAAA", masks.DATA_URL + "***", "javascript:alert(1)"]
)
def test_only_addresses_with_a_png_are_read(text: str) -> None:
    with pytest.raises(InvalidBrief):
        masks.from_data_url(text)


def test_a_data_address_gives_its_bytes() -> None:
    assert masks.from_data_url(masks.DATA_URL + base64.b64encode(b"abc").decode()) == b"abc"


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=400))
def test_no_bytes_do_anything_but_refuse(content: bytes) -> None:
    base = bytearray(png(Image.new("L", (20, 10), 255)))
    for position, value in enumerate(content):
        base[(position * 7 + value) % len(base)] ^= value
    try:
        masks.make((200, 100), drawn=bytes(base))
    except InvalidBrief as error:
        assert str(error)
