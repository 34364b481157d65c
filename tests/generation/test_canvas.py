from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from PIL import Image

from imagepipe.generation import canvas

sides = st.integers(1, 60)
sizes = st.tuples(sides, sides)
seeds = st.integers(0, 2**32 - 1)


def noise(size: tuple[int, int], seed: int, mode: str = "RGB") -> Image.Image:
    shape = (size[1], size[0], 3) if mode == "RGB" else (size[1], size[0])
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, shape, np.uint8))


@st.composite
def extensions(draw: st.DrawFn) -> tuple[tuple[int, int], canvas.Extension]:
    size = draw(sizes)
    room = [draw(st.integers(0, 30)) for _ in range(4)]
    return size, canvas.extend_sides(
        size, left=room[0], top=room[1], right=room[2], bottom=room[3]
    )


@given(extensions(), seeds)
def test_the_picture_lies_unchanged_on_a_larger_canvas(extension, seed: int) -> None:
    size, larger = extension
    picture = noise(size, seed)
    target = (larger.width, larger.height)

    placed = canvas.place(picture, target, larger.offset)
    room = canvas.new_room(size, target, larger.offset)

    assert canvas.fits(size, target, larger.offset)
    assert placed.size == room.size == target
    box = (*larger.offset, larger.offset[0] + size[0], larger.offset[1] + size[1])
    assert placed.crop(box).tobytes() == picture.tobytes()
    assert (np.asarray(room) == 0).sum() == size[0] * size[1]
    assert room.crop(box).getextrema() == (0, 0)


@given(sizes, st.tuples(st.integers(1, 40), st.integers(1, 40)), st.sampled_from([1, 8, 16]))
def test_a_ratio_is_met_by_the_smallest_canvas(size, ratio, multiple) -> None:
    larger = canvas.extend_to_ratio(size, ratio, multiple)
    target = (larger.width, larger.height)

    assert canvas.fits(size, target, larger.offset)
    assert larger.width % multiple == larger.height % multiple == 0
    exact = (
        max(size[0], size[1] * ratio[0] / ratio[1]),
        max(size[1], size[0] * ratio[1] / ratio[0]),
    )
    for side, wanted in zip(target, exact, strict=True):
        assert wanted - 1e-6 <= side < wanted + 1 + multiple


@pytest.mark.parametrize(
    ("ratio", "expected"),
    [
        ((1, 1), (128, 128, 0, 0)),
        ((9, 16), (128, 232, 0, 52)),
        ((16, 9), (232, 128, 52, 0)),
        ((3, 1), (384, 128, 128, 0)),
    ],
)
def test_known_formats_of_a_square_master(ratio, expected) -> None:
    larger = canvas.extend_to_ratio((128, 128), ratio)
    assert (larger.width, larger.height, *larger.offset) == expected


def test_an_anchor_says_where_the_new_room_goes() -> None:
    assert canvas.extend_to_ratio((100, 100), (2, 1), 1, anchor=(1, 0)).offset == (100, 0)
    assert canvas.extend_to_ratio((100, 100), (1, 2), 1, anchor=(0.5, 0)).offset == (0, 0)


@settings(deadline=None)
@given(sizes, seeds, st.integers(0, 20), st.floats(0.0, 0.3))
def test_a_feather_ends_where_it_should(size, seed, pixels, share) -> None:
    rng = np.random.default_rng(seed)
    white = rng.random((size[1], size[0])) < share
    mask = Image.fromarray((white * 255).astype(np.uint8))

    soft = np.asarray(canvas.feather(mask, pixels))

    assert (soft[white] == 255).all()
    if not white.any():
        assert (soft == 0).all()
        return
    ys, xs = np.nonzero(white)
    rows, columns = np.mgrid[: size[1], : size[0]]
    distance = np.sqrt(((rows[..., None] - ys) ** 2 + (columns[..., None] - xs) ** 2).min(-1))
    assert (soft[distance > pixels] == 0).all()
    assert (soft[~white & (distance < pixels * 0.9)] > 0).all()


@given(sizes, seeds, seeds, seeds)
def test_a_composite_is_exact_at_both_ends(size, first, second, third) -> None:
    kept, painted = noise(size, first), noise(size, second)
    mask = noise(size, third, "L").point(lambda v: 0 if v < 80 else 255 if v > 160 else v)

    result = np.asarray(canvas.composite(kept, painted, mask))

    values = np.asarray(mask)
    assert (result[values == 0] == np.asarray(kept)[values == 0]).all()
    assert (result[values == 255] == np.asarray(painted)[values == 255]).all()
    low = np.minimum(np.asarray(kept), np.asarray(painted))
    high = np.maximum(np.asarray(kept), np.asarray(painted))
    assert ((low <= result) & (result <= high)).all()


@given(sizes, seeds)
def test_touched_is_everything_that_may_change(size, seed) -> None:
    mask = noise(size, seed, "L").point(lambda v: 0 if v < 128 else v)
    found = np.asarray(canvas.touched(mask))
    assert set(np.unique(found)) <= {0, 255}
    assert ((found > 0) == (np.asarray(mask) > 0)).all()


@given(sizes, sizes)
def test_cover_fills_without_distortion(size, target) -> None:
    assume(min(size) > 4 and min(target) > 4)
    picture = canvas.cover(Image.new("RGB", size, (9, 99, 199)), target)
    assert picture.size == target
    assert picture.getextrema() == ((9, 9), (99, 99), (199, 199))


def test_cover_keeps_the_middle() -> None:
    picture = Image.new("RGB", (30, 10), "red")
    picture.paste("blue", (10, 0, 20, 10))
    assert canvas.cover(picture, (10, 10)).getextrema() == ((0, 0), (0, 0), (255, 255))


@given(sizes, seeds, st.sampled_from([8, 16]))
def test_padding_only_adds(size, seed, multiple) -> None:
    for picture in (noise(size, seed), noise(size, seed, "L")):
        padded = canvas.pad_to_multiple(picture, multiple)
        assert padded.width % multiple == padded.height % multiple == 0
        assert padded.width - size[0] < multiple and padded.height - size[1] < multiple
        assert padded.crop((0, 0, *size)).tobytes() == picture.tobytes()


@given(extensions(), seeds)
def test_a_continued_ground_keeps_the_picture_and_makes_up_no_colours(
    extension, seed: int
) -> None:
    size, larger = extension
    picture = noise(size, seed)
    target = (larger.width, larger.height)

    whole = canvas.continued(picture, target, larger.offset)

    assert whole.size == target
    box = (*larger.offset, larger.offset[0] + size[0], larger.offset[1] + size[1])
    assert whole.crop(box).tobytes() == picture.tobytes()
    for new, old in zip(whole.getextrema(), picture.getextrema(), strict=True):
        assert old[0] - 1 <= new[0] and new[1] <= old[1] + 1


def test_far_from_the_picture_a_continued_ground_has_no_stripes() -> None:
    picture = noise((120, 120), 3)
    stripes, ground = (
        np.asarray(fill(picture, (360, 120), (0, 0)))[:, 240:].astype(float)
        for fill in (canvas.place, canvas.continued)
    )
    assert stripes[:, -1].std(axis=0).min() > 50
    assert ground[:, -1].std(axis=0).max() < 20
    seam = np.asarray(canvas.continued(picture, (360, 120), (0, 0))).astype(float)
    assert np.abs(seam[:, 120] - seam[:, 119]).max() <= 1, "it begins as the picture ends"


def test_transparent_pictures_stay_transparent_where_they_were() -> None:
    picture = Image.new("RGBA", (40, 40), (200, 10, 10, 0))
    picture.paste((10, 200, 10, 255), (0, 0, 40, 20))
    whole = canvas.continued(picture, (80, 40), (0, 0))
    assert whole.mode == "RGBA"
    assert whole.crop((0, 0, 40, 40)).tobytes() == picture.tobytes()
