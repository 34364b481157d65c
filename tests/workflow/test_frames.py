"""Canvases to which pictures are extended."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagepipe.workflow.exceptions import InvalidBrief
from imagepipe.workflow.frames import Frame, by_sides, parse_shape, to_shape


@pytest.mark.parametrize(
    ("text", "shape"), [("9:16", (9, 16)), (" 1200 x 300 ", (1200, 300)), ("4×5", (4, 5))]
)
def test_shapes_are_written_as_people_write_them(text: str, shape: tuple[int, int]) -> None:
    assert parse_shape(text) == shape


@pytest.mark.parametrize("text", ["", "9", "0:1", "9:16:2", "1:99", "a:b", "9:-1", "1e3:1"])
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(InvalidBrief):
        parse_shape(text)


def test_the_anchor_decides_where_the_new_room_goes() -> None:
    assert to_shape((300, 300), "2:1", (0, 0)) == Frame("2:1", 600, 300, 0, 0)
    assert to_shape((300, 300), "2:1", (1, 0)) == Frame("2:1", 600, 300, 300, 0)
    assert to_shape((300, 300), "2:1") == Frame("2:1", 600, 300, 150, 0)


def test_sides_grow_by_shares_of_the_picture() -> None:
    frame = by_sides((200, 100), left=0.5, top=0, right=0, bottom=1)
    assert (frame.width, frame.height, frame.left, frame.top) == (300, 200, 100, 0)


def test_the_shape_that_a_picture_has_is_refused() -> None:
    with pytest.raises(InvalidBrief, match="already"):
        to_shape((160, 90), "16:9")
    with pytest.raises(InvalidBrief):
        by_sides((160, 90), left=0, top=0, right=0, bottom=0)
    with pytest.raises(InvalidBrief, match="too large"):
        to_shape((8000, 1000), "1:8")


@given(
    st.tuples(st.integers(16, 2000), st.integers(16, 2000)),
    st.tuples(st.integers(4, 32), st.integers(4, 32)),
    st.tuples(st.floats(0, 1), st.floats(0, 1)),
)
def test_every_frame_holds_the_whole_picture_in_the_shape_asked_for(
    picture: tuple[int, int], ratio: tuple[int, int], anchor: tuple[float, float]
) -> None:
    try:
        frame = to_shape(picture, f"{ratio[0]}:{ratio[1]}", anchor)
    except InvalidBrief:
        return
    assert 0 <= frame.left <= frame.width - picture[0]
    assert 0 <= frame.top <= frame.height - picture[1]
    assert picture[0] == frame.width or picture[1] == frame.height
    assert abs(frame.width - frame.height * ratio[0] / ratio[1]) <= max(1, ratio[0] / ratio[1])
