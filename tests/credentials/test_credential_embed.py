from __future__ import annotations

import io
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from imagepipe.credentials import (
    CredentialsError,
    MalformedPicture,
    MalformedXmp,
    PictureMetadata,
    UnsupportedFormat,
    build_xmp,
    read_xmp,
    write_xmp,
)

PACKET = build_xmp(PictureMetadata(title="One", creator="imagepipe"))
OTHER = build_xmp(PictureMetadata(title="Another title"))
WRITABLE = ["image/jpeg", "image/png", "image/webp"]


def encode(image: Image.Image, name: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, name, **options)
    return buffer.getvalue()


def pixels(data: bytes) -> bytes:
    with Image.open(io.BytesIO(data)) as image:
        return image.tobytes()


@pytest.mark.parametrize("kind", WRITABLE)
def test_a_written_packet_is_read_back(kind: str, pictures: dict[str, bytes]) -> None:
    data = pictures[kind]
    assert read_xmp(data, kind) is None
    written = write_xmp(data, kind, PACKET)
    assert read_xmp(written, kind) == PACKET
    assert pixels(written) == pixels(data)
    with Image.open(io.BytesIO(written)) as image:
        image.load()
        found = image.info.get("xmp") or image.info["XML:com.adobe.xmp"]
    assert (found.encode() if isinstance(found, str) else found) == PACKET


@pytest.mark.parametrize("kind", WRITABLE)
def test_a_packet_replaces_the_earlier_one(kind: str, pictures: dict[str, bytes]) -> None:
    once = write_xmp(pictures[kind], kind, PACKET)
    twice = write_xmp(once, kind, OTHER)
    assert read_xmp(twice, kind) == OTHER
    assert b'<rdf:li xml:lang="x-default">One' not in twice
    assert write_xmp(twice, kind, PACKET) == once


def test_a_packet_given_to_the_encoder_is_read(mime: str, pictures: dict[str, bytes]) -> None:
    with Image.open(io.BytesIO(pictures[mime])) as image:
        if mime == "image/png":
            info = PngInfo()
            info.add_itxt("XML:com.adobe.xmp", PACKET.decode(), zip=True)
            data = encode(image, "PNG", pnginfo=info)
        else:
            data = encode(image, image.format or "", xmp=PACKET)
    assert read_xmp(data, mime) == PACKET


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@pytest.mark.parametrize("lossless", [True, False])
@pytest.mark.parametrize("size", [(1, 1), (317, 5), (64, 64)])
def test_every_kind_of_webp(mode: str, lossless: bool, size: tuple[int, int]) -> None:
    image = Image.new(mode, size, (200, 30, 60, 120)[: len(mode)])
    written = write_xmp(encode(image, "WEBP", lossless=lossless), "image/webp", PACKET)
    with Image.open(io.BytesIO(written)) as opened:
        assert (opened.size, opened.mode, opened.info["xmp"]) == (size, mode, PACKET)


@pytest.mark.parametrize("kind", WRITABLE)
def test_other_metadata_is_kept(kind: str, pictures: dict[str, bytes]) -> None:
    exif = Image.Exif()
    exif[0x010E] = "description"
    with Image.open(io.BytesIO(pictures[kind])) as image:
        data = encode(image, image.format or "", exif=exif, icc_profile=b"profile" * 10)
    with Image.open(io.BytesIO(write_xmp(data, kind, PACKET))) as image:
        assert image.getexif()[0x010E] == "description"
        assert image.info["icc_profile"] == b"profile" * 10


def test_a_finished_avif_is_not_re_encoded() -> None:
    with pytest.raises(UnsupportedFormat, match="give the packet to the encoder"):
        write_xmp(b"", "image/avif", PACKET)


def test_other_types_are_refused() -> None:
    for function in (lambda: write_xmp(b"", "image/tiff", b""), lambda: read_xmp(b"", "a/b")):
        with pytest.raises(UnsupportedFormat):
            function()


@pytest.mark.parametrize("kind", WRITABLE)
def test_too_large_packets_are_refused(kind: str, pictures: dict[str, bytes]) -> None:
    with pytest.raises(MalformedXmp):
        write_xmp(pictures[kind], kind, b" " * 5_000_000)


def test_a_jpeg_segment_has_a_limit(pictures: dict[str, bytes]) -> None:
    largest = b" " * 65_504
    written = write_xmp(pictures["image/jpeg"], "image/jpeg", largest)
    assert read_xmp(written, "image/jpeg") == largest
    with pytest.raises(MalformedXmp):
        write_xmp(pictures["image/jpeg"], "image/jpeg", largest + b" ")


def test_a_compressed_bomb_is_refused(pictures: dict[str, bytes]) -> None:
    png = pictures["image/png"]
    body = b"iTXtXML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(b" " * 50_000_000)
    chunk = (len(body) - 4).to_bytes(4, "big") + body + zlib.crc32(body).to_bytes(4, "big")
    with pytest.raises(MalformedXmp):
        read_xmp(png[:33] + chunk + png[33:], "image/png")


@pytest.mark.parametrize("kind", WRITABLE)
def test_another_type_of_bytes_is_malformed(kind: str, pictures: dict[str, bytes]) -> None:
    for data in (b"", b"<html>", *(p for other, p in pictures.items() if other != kind)):
        with pytest.raises(MalformedPicture):
            read_xmp(data, kind)
        with pytest.raises(MalformedPicture):
            write_xmp(data, kind, PACKET)


def test_bytes_that_are_no_avif(mime: str) -> None:
    if mime == "image/avif":
        with pytest.raises(MalformedPicture):
            read_xmp(b"\0\0\0\x20ftypavif" + b"\0" * 40, mime)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(WRITABLE), st.data())
def test_damage_never_escapes_as_another_error(
    pictures: dict[str, bytes], kind: str, data: st.DataObject
) -> None:
    damaged = bytearray(write_xmp(pictures[kind], kind, PACKET))
    for _ in range(data.draw(st.integers(1, 3))):
        damaged[data.draw(st.integers(0, 1_200))] = data.draw(st.integers(0, 255))
    cut = bytes(damaged[: data.draw(st.integers(0, len(damaged)))])
    for attempt in (bytes(damaged), cut):
        for function in (
            lambda value: read_xmp(value, kind),
            lambda value: write_xmp(value, kind, OTHER),
        ):
            try:
                function(attempt)
            except CredentialsError:
                pass
