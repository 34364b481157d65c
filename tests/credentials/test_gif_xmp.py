from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from imagepipe.credentials.exceptions import MalformedPicture
from imagepipe.credentials.gif import count_frames, read_xmp, write_xmp


def gif(count: int = 3) -> bytes:
    frames = [Image.new("RGB", (20, 10), (n * 60, 9, 200)) for n in range(count)]
    file = io.BytesIO()
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:], comment=b"x" * 300)
    return file.getvalue()


@settings(max_examples=60)
@given(st.binary(max_size=3000))
def test_a_packet_comes_back_and_takes_the_place_of_the_one_before(packet: bytes) -> None:
    packet = packet.replace(b"\0", b" ")  # XMP is text
    data = gif()
    assert read_xmp(data) is None

    once = write_xmp(data, b"<old/>")
    twice = write_xmp(once, packet)

    assert read_xmp(once) == b"<old/>" and read_xmp(twice) == packet
    assert twice.count(b"XMP DataXMP") == 1
    assert write_xmp(twice, packet) == twice
    before, after = (Image.open(io.BytesIO(body)) for body in (data, twice))
    assert [getattr(image, "n_frames", 1) for image in (before, after)] == [3, 3]
    for number in range(3):
        before.seek(number)
        after.seek(number)
        assert before.convert("RGB").tobytes() == after.convert("RGB").tobytes()


def test_frames_are_counted_up_to_a_limit() -> None:
    assert [count_frames(gif(5), most) for most in (1, 4, 5, 9)] == [1, 4, 5, 5]
    assert count_frames(gif(1), 9) == 1


@pytest.mark.parametrize("cut", [0, 5, 12, 30, 200])
def test_what_is_cut_off_is_refused(cut: int) -> None:
    with pytest.raises(MalformedPicture):
        write_xmp(gif()[:cut], b"<x/>")


@settings(max_examples=100)
@given(st.integers(0, 400), st.integers(0, 255))
def test_no_byte_leads_astray(place: int, value: int) -> None:
    data = bytearray(gif(2))
    data[place % len(data)] = value
    try:
        assert read_xmp(write_xmp(bytes(data), b"<x/>")) == b"<x/>"
    except MalformedPicture:
        pass
