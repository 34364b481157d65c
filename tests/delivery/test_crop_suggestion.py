from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imagepipe.delivery.crop_geometry import largest, snapped
from imagepipe.delivery.crop_suggestion import cut_faces, share_seen, suggest_crop, visible
from imagepipe.urlspec import Preset, Scene, Transform, plan
from imagepipe.urlspec.transform import MIN_REGION, REGION_SCALE

SIZES = st.tuples(st.integers(200, 9000), st.integers(200, 9000))
RATIOS = st.sampled_from([(16, 9), (4, 5), (1, 1), (4, 3), (40, 21), (21, 9), (9, 16), (3, 1)])
SHARES = st.floats(0, 1, allow_nan=False)


@st.composite
def boxes(draw: st.DrawFn) -> tuple[float, float, float, float]:
    x, y = draw(st.floats(0, 0.9)), draw(st.floats(0, 0.9))
    return x, y, draw(st.floats(0.02, 1 - x)), draw(st.floats(0.02, 1 - y))


SCENES = st.builds(
    Scene,
    focal=st.none() | st.tuples(SHARES, SHARES),
    faces=st.lists(boxes(), max_size=4).map(tuple),
    subject=st.none() | boxes(),
)


def pixels(region: tuple[int, ...], size: tuple[int, int]) -> tuple[int, int, int, int]:
    """As the edge cuts it: left, top, width, height."""
    crops = {"it": region}
    made = plan(*size, Transform(crop="it"), Scene(crops=crops))  # type: ignore[arg-type]
    return made.crop_box


def is_large(ratio: tuple[int, int], size: tuple[int, int]) -> bool:
    return min(Fraction(size[0], ratio[0]), Fraction(size[1], ratio[1])) >= 25


def is_exact(width: int, height: int, ratio: tuple[int, int], size: tuple[int, int]) -> bool:
    """In the ratio; to the pixel where its terms are large against the picture."""
    if is_large(ratio, size):
        return width * ratio[1] == height * ratio[0]
    return abs(width * ratio[1] - height * ratio[0]) <= max(ratio)


@given(SCENES, RATIOS, SIZES)
def test_a_suggestion_lies_inside_in_its_ratio_and_holds_the_focal_point(
    scene: Scene, ratio: tuple[int, int], size: tuple[int, int]
) -> None:
    found = suggest_crop(scene, ratio, size)
    x, y, width, height = found.region
    assert x >= 0 and y >= 0 and x + width <= REGION_SCALE and y + height <= REGION_SCALE
    left, top, across, down = pixels(found.region, size)
    assert is_exact(across, down, ratio, size)
    assert (across, down) == largest(ratio, size)
    assert 0 < found.confidence <= 1 or scene.faces
    if scene.focal is not None:
        assert left <= scene.focal[0] * size[0] <= left + across
        assert top <= scene.focal[1] * size[1] <= top + down


def face_loss(start: int, cut: int, length: int, axis: int, scene: Scene) -> float:
    total = 0.0
    for face in scene.faces:
        begin, end = face[axis] * length, min(1.0, face[axis] + face[axis + 2]) * length
        seen = visible(begin, end, start, start + cut)
        total += face[2] * face[3] * (1 - seen + (1 if 1e-6 < seen < 1 - 1e-6 else 0))
    return total


@settings(max_examples=60)
@given(SCENES, RATIOS, st.tuples(st.integers(200, 400), st.integers(200, 400)))
def test_no_other_place_loses_less_of_the_faces(
    scene: Scene, ratio: tuple[int, int], size: tuple[int, int]
) -> None:
    """Against all places there are, one side at a time."""
    box = pixels(suggest_crop(scene, ratio, size).region, size)
    for axis in (0, 1):
        length, cut = size[axis], box[2 + axis]
        low, high = 0, length - cut
        if scene.focal is not None:
            low = max(low, math.ceil(scene.focal[axis] * length - cut))
            high = min(high, math.floor(scene.focal[axis] * length))
        best = min(
            face_loss(place, cut, length, axis, scene) for place in range(low, high + 1)
        )
        assert face_loss(box[axis], cut, length, axis, scene) <= best + 1e-6


@given(st.lists(st.integers(0, REGION_SCALE), min_size=4, max_size=4), RATIOS, SIZES)
def test_any_region_snaps_to_its_ratio_inside_the_picture(
    numbers: list[int], ratio: tuple[int, int], size: tuple[int, int]
) -> None:
    (left, right), (top, bottom) = sorted(numbers[:2]), sorted(numbers[2:])
    region = left, top, max(right - left, 1), max(bottom - top, 1)
    found = snapped(region, ratio, size)
    x, y, width, height = found
    assert x >= 0 and y >= 0 and x + width <= REGION_SCALE and y + height <= REGION_SCALE
    _left, _top, across, down = pixels(found, size)
    is_wide_enough = width >= MIN_REGION - 1 and height >= MIN_REGION - 1
    assert is_wide_enough or (across, down) == largest(ratio, size)
    assert is_exact(across, down, ratio, size)
    if is_large(ratio, size):
        assert snapped(found, ratio, size) == found


@given(SCENES, RATIOS, SIZES)
def test_pages_and_edge_agree_on_the_pixels_of_a_crop(
    scene: Scene, ratio: tuple[int, int], size: tuple[int, int]
) -> None:
    """A preset of the crop's ratio is delivered at exactly the preset's size."""
    region = suggest_crop(scene, ratio, size).region
    preset = Preset("p", (320,), ratio, "fill", "center", crop="it")
    left, top, width, height = pixels(region, size)
    [transform] = preset.transforms(width, height)
    crops = {"it": region}
    named = Transform(transform.width, transform.height, "fill", crop="it")
    made = plan(*size, named, Scene(crops=crops))
    assert (made.width, made.height) == (transform.width, transform.height)


def test_a_face_at_the_side_is_kept_whole() -> None:
    scene = Scene(faces=((0.7, 0.2, 0.2, 0.3),))
    found = suggest_crop(scene, (1, 1), (1600, 800))
    assert found.region == (4997 + 3, 0, 5000, 10000)
    assert (found.basis, found.fits, cut_faces(found.region, scene.faces)) == (
        "faces", True, (),
    )  # fmt: skip


def test_a_focal_point_that_splits_a_face_is_obeyed_and_trusted_less() -> None:
    face = (0.4, 0.2, 0.3, 0.3)
    free = suggest_crop(Scene(faces=(face,)), (1, 1), (1600, 800))
    forced = suggest_crop(Scene(faces=(face,), focal=(0.0, 0.5)), (1, 1), (1600, 800))
    assert forced.region == (0, 0, 5000, 10000)
    assert cut_faces(forced.region, (face,)) == (face,)
    assert share_seen(forced.region, face) == pytest.approx(1 / 3)
    assert forced.confidence < 0.3 < free.confidence


def test_faces_too_far_apart_do_not_fit() -> None:
    scene = Scene(faces=((0.05, 0.3, 0.1, 0.2), (0.8, 0.3, 0.15, 0.3)))
    wide, tall = (suggest_crop(scene, ratio, (1600, 900)) for ratio in ((16, 9), (4, 5)))
    assert (wide.fits, wide.confidence) == (True, 1.0)
    assert tall.fits is False
    assert cut_faces(tall.region, scene.faces) == ()
    assert share_seen(tall.region, scene.faces[1]) == 1.0


def test_trust_falls_with_what_is_known() -> None:
    focal, face = (0.5, 0.5), (0.45, 0.4, 0.1, 0.2)
    scenes = (
        Scene(focal=focal),
        Scene(faces=(face,)),
        Scene(subject=(0.3, 0.3, 0.4, 0.4)),
        Scene(),
    )
    found = [suggest_crop(scene, (1, 1), (1500, 1000)) for scene in scenes]
    assert [one.basis for one in found] == ["focal", "faces", "subject", "nothing"]
    trust = [one.confidence for one in found]
    assert trust == sorted(trust, reverse=True) and len(set(trust)) == 4
    assert found[-1].region == (1667, 0, 6666, 10000)
