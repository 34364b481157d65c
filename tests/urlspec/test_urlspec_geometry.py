from __future__ import annotations

from fractions import Fraction
from math import floor

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from imagepipe.urlspec import (
    GRAVITIES,
    InvalidTransform,
    Preset,
    Scene,
    Transform,
    output_size,
    plan,
)

SIDES = st.integers(1, 9000)
BOXES = st.integers(1, 8192)


def half_up(value: Fraction) -> int:
    return max(1, floor(value + Fraction(1, 2)))


@given(SIDES, SIDES, BOXES, BOXES, st.booleans())
def test_fit_is_the_largest_size_of_the_same_ratio(w, h, box_w, box_h, upscale) -> None:
    scale = min(Fraction(box_w, w), Fraction(box_h, h))
    scale = scale if upscale else min(scale, Fraction(1))

    result = plan(w, h, Transform(box_w, box_h, upscale=upscale))

    assert (result.width, result.height) == (half_up(w * scale), half_up(h * scale))
    assert (result.scale_width, result.scale_height) == (result.width, result.height)
    assert not result.is_cropped
    assert not result.is_padded


@given(SIDES, SIDES, BOXES)
def test_one_side_alone_decides_the_other(w, h, side) -> None:
    across, down = plan(w, h, Transform(width=side)), plan(w, h, Transform(height=side))

    scale = min(Fraction(1), Fraction(side, w))
    assert (across.width, across.height) == (half_up(w * scale), half_up(h * scale))
    scale = min(Fraction(1), Fraction(side, h))
    assert (down.width, down.height) == (half_up(w * scale), half_up(h * scale))


@given(SIDES, SIDES, BOXES, BOXES)
def test_fill_without_upscaling_keeps_the_ratio_of_the_box(w, h, box_w, box_h) -> None:
    shrink = min(Fraction(1), Fraction(w, box_w), Fraction(h, box_h))

    result = plan(w, h, Transform(box_w, box_h, "fill"))

    assert (result.width, result.height) == (half_up(box_w * shrink), half_up(box_h * shrink))
    assert result.scale_width <= w
    assert result.scale_height <= h


@given(SIDES, SIDES, BOXES, BOXES)
def test_fill_with_upscaling_is_exactly_the_box(w, h, box_w, box_h) -> None:
    result = plan(w, h, Transform(box_w, box_h, "fill", upscale=True))

    assert (result.width, result.height) == (box_w, box_h)


@given(SIDES, SIDES, BOXES, BOXES, st.booleans())
def test_fill_scales_no_more_than_it_must(w, h, box_w, box_h, upscale) -> None:
    result = plan(w, h, Transform(box_w, box_h, "fill", upscale=upscale))

    assert result.scale_width == result.width or result.scale_height == result.height
    scale = max(Fraction(result.width, w), Fraction(result.height, h))
    assert abs(result.scale_width - w * scale) <= 1
    assert abs(result.scale_height - h * scale) <= 1


@given(SIDES, SIDES, BOXES, BOXES)
def test_pad_is_exactly_the_box_and_the_picture_lies_inside(w, h, box_w, box_h) -> None:
    result = plan(w, h, Transform(box_w, box_h, "pad", "southeast"))

    assert (result.width, result.height) == (box_w, box_h)
    assert result.offset[0] + result.crop_box.width == box_w
    assert result.offset[1] + result.crop_box.height == box_h


@given(SIDES, SIDES, BOXES, BOXES)
def test_crop_never_scales(w, h, box_w, box_h) -> None:
    result = plan(w, h, Transform(box_w, box_h, "crop"))

    assert (result.scale_width, result.scale_height) == (w, h)
    assert (result.width, result.height) == (min(box_w, w), min(box_h, h))


@st.composite
def regions(draw: st.DrawFn) -> tuple[int, int, int, int]:
    left, top = draw(st.integers(1, 9900)), draw(st.integers(0, 9900))
    return left, top, draw(st.integers(100, 10000 - left)), draw(st.integers(100, 10000 - top))


@st.composite
def shares(draw: st.DrawFn) -> tuple[float, float, float, float]:
    x, y = draw(st.floats(0, 0.9)), draw(st.floats(0, 0.9))
    return x, y, draw(st.floats(0, 1 - x)), draw(st.floats(0, 1 - y))


@st.composite
def scenes(draw: st.DrawFn) -> Scene:
    return Scene(
        draw(st.none() | st.tuples(st.floats(0, 1), st.floats(0, 1))),
        tuple(draw(st.lists(shares(), max_size=4))),
        draw(st.none() | shares()),
        {"hero": draw(regions())},
    )


@given(
    SIDES,
    SIDES,
    BOXES,
    BOXES,
    st.sampled_from(["fit", "fill", "crop"]),
    st.sampled_from([*GRAVITIES, "faces-subject-focal", "subject-faces-attention"]),
    st.sampled_from([None, "hero", "missing"]) | regions(),
    scenes(),
    st.booleans(),
)
def test_the_cut_always_lies_within_the_scaled_picture(
    w, h, box_w, box_h, fit, gravity, region, scene, upscale
) -> None:
    transform = Transform(
        box_w,
        box_h,
        fit,
        gravity if fit != "fit" else "center",
        region,
        upscale=upscale and fit != "crop",
    )

    result = plan(w, h, transform, scene)

    box = result.crop_box
    assert box.left >= 0
    assert box.top >= 0
    assert box.left + box.width <= result.scale_width
    assert box.top + box.height <= result.scale_height
    assert (box.width, box.height) == (result.width, result.height)


@given(st.integers(200, 6000), st.integers(200, 6000), regions(), st.integers(1, 2000))
def test_a_region_shows_the_same_part_at_every_width(w, h, region, width) -> None:
    result = plan(w, h, Transform(width=width, crop=region))

    left = Fraction(result.crop_box.left, result.scale_width)
    right = Fraction(result.crop_box.left + result.width, result.scale_width)
    tolerance = Fraction(2, result.scale_width) + Fraction(2, w)
    assert abs(left - Fraction(region[0], 10_000)) <= tolerance
    assert abs(right - Fraction(region[0] + region[2], 10_000)) <= tolerance


@given(
    st.integers(50, 4000),
    st.integers(50, 4000),
    st.tuples(st.floats(0, 1), st.floats(0, 1)),
)
@example(4000, 1000, (0.99, 0.5))
def test_a_focal_point_is_as_near_the_middle_as_the_edges_allow(w, h, focal) -> None:
    result = plan(w, h, Transform(40, 40, "fill", "focal"), Scene(focal=focal))

    wanted = focal[0] * result.scale_width - result.width / 2
    limited = min(max(wanted, 0), result.scale_width - result.width)
    assert abs(result.crop_box.left - limited) <= 1


@pytest.mark.parametrize(
    ("gravity", "left", "top"),
    [
        ("northwest", 0, 0),
        ("north", 30, 0),
        ("northeast", 60, 0),
        ("west", 0, 20),
        ("center", 30, 20),
        ("attention", 30, 20),
        ("focal", 30, 20),
        ("east", 60, 20),
        ("southwest", 0, 40),
        ("south", 30, 40),
        ("southeast", 60, 40),
    ],
)
def test_gravity_places_the_cut(gravity, left, top) -> None:
    box = plan(100, 60, Transform(40, 20, "crop", gravity)).crop_box

    assert box == (left, top, 40, 20)


def test_focal_point_counts_from_the_whole_source_when_a_region_is_cut() -> None:
    transform = Transform(100, 100, "fill", "focal", crop=(5000, 0, 5000, 10_000))

    result = plan(2000, 400, transform, Scene(focal=(0.75, 0.5)))

    # the region is 1000x400 from x=1000, scaled to 250x100; 0.75 of the source is its middle
    assert (result.scale_width, result.scale_height) == (500, 100)
    assert result.crop_box == (250 + 75, 0, 100, 100)


@given(st.integers(1, 5000), st.integers(1, 5000), st.sampled_from([None, (16, 9), (1, 3)]))
def test_a_preset_never_enlarges_and_never_repeats_a_width(w, h, ratio) -> None:
    preset = Preset("x", ratio=ratio, fit="fit" if ratio is None else "fill")

    found = preset.transforms(w, h)

    widths = [transform.width for transform in found]
    assert widths == sorted(set(widths))
    assert max(widths) <= w
    for transform in found:
        result = plan(w, h, transform)
        assert result.width <= w
        assert result.height <= h


def test_a_source_between_two_steps_ends_the_row_with_its_own_width() -> None:
    found = Preset("x").transforms(700, 400)

    assert [transform.width for transform in found] == [320, 480, 640, 700]


def test_every_width_of_a_preset_is_held_to_the_largest_height() -> None:
    with pytest.raises(InvalidTransform, match="height must be 1 to 8192"):
        Preset("tower", widths=(320, 2400), ratio=(1, 5), fit="fill")


@pytest.mark.parametrize("size", [plan, output_size])
def test_a_source_without_pixels_is_refused(size) -> None:
    with pytest.raises(ValueError, match="at least one pixel"):
        size(0, 10, Transform(10))


@given(
    SIDES,
    SIDES,
    BOXES,
    BOXES,
    st.sampled_from(["fit", "fill", "pad", "crop"]),
    st.sampled_from([None, (0, 0, 100, 100), (2500, 1000, 5001, 8999), "hero", "none-of-it"]),
)
def test_the_size_alone_is_that_of_the_plan(w, h, box_w, box_h, fit, crop) -> None:
    scene = Scene(crops={"hero": (1, 2, 3333, 4444)})
    transform = Transform(box_w, box_h, fit, crop=crop)

    result = plan(w, h, transform, scene)

    assert output_size(w, h, transform, scene) == (result.width, result.height)


@given(st.integers(50, 4000), st.integers(50, 4000), st.integers(8, 300), shares())
def test_a_box_that_fits_is_wholly_in_view(w, h, side, face) -> None:
    for scene, gravity in (
        (Scene(faces=(face,)), "faces"),
        (Scene(subject=face), "faces-subject"),
        (Scene(subject=face, focal=(0.5, 0.5)), "subject-focal"),
    ):
        result = plan(w, h, Transform(side, side, "fill", gravity), scene)

        box = result.crop_box
        spans = (
            (face[0], face[2], box.left, box.width, result.scale_width),
            (face[1], face[3], box.top, box.height, result.scale_height),
        )
        for start, length, first, cut, scaled in spans:
            if length * scaled <= cut - 1:
                assert first <= start * scaled + 0.01
                assert (start + length) * scaled <= first + cut + 0.01


def test_faces_come_before_the_subject_and_both_stay_if_they_can() -> None:
    scene = Scene(faces=((0.10, 0.4, 0.1, 0.2),), subject=(0.3, 0.2, 0.15, 0.6))

    both = plan(1000, 500, Transform(500, 500, "fill", "faces-subject"), scene).crop_box
    other = plan(1000, 500, Transform(500, 500, "fill", "subject-faces"), scene).crop_box
    far = Scene(faces=((0.0, 0.4, 0.1, 0.2),), subject=(0.8, 0.2, 0.15, 0.6))
    face = plan(1000, 500, Transform(500, 500, "fill", "faces-subject"), far).crop_box
    subject = plan(1000, 500, Transform(500, 500, "fill", "subject-faces"), far).crop_box

    assert (both.left, other.left) == (0, 100)
    assert (face.left, subject.left) == (0, 500)


def test_of_faces_that_do_not_fit_together_the_largest_are_shown() -> None:
    scene = Scene(faces=((0.0, 0.1, 0.05, 0.1), (0.9, 0.1, 0.1, 0.2), (0.6, 0.1, 0.08, 0.1)))

    box = plan(1000, 500, Transform(500, 500, "fill", "faces"), scene).crop_box

    assert box.left == 500


@pytest.mark.parametrize(
    ("gravity", "left", "searched"),
    [("faces", 250, False), ("faces-east", 500, False), ("faces-attention", 250, True)],
)
def test_what_is_not_known_is_passed_over(gravity, left, searched) -> None:
    result = plan(1000, 500, Transform(500, 500, "fill", gravity))

    assert (result.crop_box.left, result.is_searched) == (left, searched)


def test_a_known_face_needs_no_search() -> None:
    transform = Transform(500, 500, "fill", "faces-attention")

    assert not plan(1000, 500, transform, Scene(faces=((0.1, 0.1, 0.1, 0.1),))).is_searched


def test_a_named_crop_is_the_region_of_that_name() -> None:
    scene = Scene(crops={"16x9": (1000, 0, 5000, 5000)})

    named = plan(2000, 1000, Transform(300, crop="16x9"), scene)

    assert named == plan(2000, 1000, Transform(300, crop=(1000, 0, 5000, 5000)))
    assert plan(2000, 1000, Transform(300, crop="4x3"), scene) == plan(
        2000, 1000, Transform(300)
    )
