from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from imagepipe.generation.edits import read_edit
from imagepipe.generation.exceptions import InvalidRequest
from imagepipe.generation.preparation import prepare
from imagepipe.generation.request import Control, Mode, ModelReference, Reference, Request
from tests.contracts.backend_suite_case import mask, pixels, png, scene

sides = st.integers(4, 48)
feathers = st.integers(0, 12)
seeds = st.integers(0, 2**32 - 1)


def noise(width: int, height: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def far_from(white: np.ndarray, distance: int) -> np.ndarray:
    """Return which places are farther than ``distance`` from all white ones."""
    ys, xs = np.nonzero(white)
    rows, columns = np.mgrid[: white.shape[0], : white.shape[1]]
    squares = (rows[..., None] - ys) ** 2 + (columns[..., None] - xs) ** 2
    return squares.min(-1) > distance**2


@settings(deadline=None, max_examples=60)
@given(sides, sides, seeds, feathers, st.sampled_from([8, 16]), st.data())
def test_whatever_an_engine_paints_the_rest_of_an_inpainted_picture_stays(
    width, height, seed, soft, multiple, data
) -> None:
    source = noise(width, height, seed)
    left, top = data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, height - 1))
    right = data.draw(st.integers(left + 1, width))
    bottom = data.draw(st.integers(top + 1, height))
    request = Request(
        "x", "m", 1, width, height, mode=Mode.INPAINT, feather=soft,
        init_image=png(Image.fromarray(source)),
        mask=mask(width, height, (left, top, right, bottom)),
    )  # fmt: skip

    edit = read_edit(request)
    working, region = edit.padded(multiple)
    painted = noise(*working.size, seed + 1)
    found = np.asarray(edit.finish(Image.fromarray(painted)))

    assert working.size == region.size
    assert working.width % multiple == working.height % multiple == 0
    white = np.zeros((height, width), bool)
    white[top:bottom, left:right] = True
    assert (found[far_from(white, soft)] == source[far_from(white, soft)]).all()
    assert (found[white] == painted[:height, :width][white]).all()
    changed = (found != source).any(-1)
    assert not (changed & (np.asarray(region)[:height, :width] == 0)).any()


@settings(deadline=None, max_examples=60)
@given(sides, sides, seeds, feathers, st.data())
def test_whatever_an_engine_paints_an_extended_picture_stays(
    width, height, seed, soft, data
) -> None:
    room = [data.draw(st.integers(0, 20)) for _ in range(4)]
    if not any(room):
        room[2] = 5
    left, top, right, bottom = room
    source = noise(width, height, seed)
    request = Request(
        "x", "m", 1, width + left + right, height + top + bottom, mode=Mode.OUTPAINT,
        feather=soft, init_image=png(Image.fromarray(source)), offset=(left, top),
    )  # fmt: skip

    edit = read_edit(request)
    painted = noise(request.width, request.height, seed + 1)
    found = np.asarray(edit.finish(Image.fromarray(painted)))

    new = np.ones(found.shape[:2], bool)
    new[top : top + height, left : left + width] = False
    assert (found[new] == painted[new]).all()
    kept = far_from(new, soft)[top : top + height, left : left + width]
    assert (found[top : top + height, left : left + width][kept] == source[kept]).all()


def test_a_mask_adds_to_the_new_room() -> None:
    request = Request(
        "x", "m", 1, 60, 40, mode=Mode.OUTPAINT, feather=0, init_image=scene(40, 40),
        offset=(0, 0), mask=mask(60, 40, (0, 0, 10, 10)),
    )  # fmt: skip
    region = np.asarray(read_edit(request).region) > 0
    assert region[:10, :10].all() and region[:, 40:].all()
    assert region.sum() == 100 + 20 * 40


def test_without_an_offset_the_picture_is_in_the_middle() -> None:
    request = Request("x", "m", 1, 60, 44, mode=Mode.OUTPAINT, init_image=scene(40, 40))
    source = read_edit(request).source
    assert (np.asarray(source)[2:42, 10:50] == pixels(scene(40, 40))).all()


def test_a_canvas_that_is_not_larger_is_refused() -> None:
    request = Request("x", "m", 1, 40, 40, mode=Mode.OUTPAINT, init_image=scene(40, 40))
    with pytest.raises(InvalidRequest, match="not larger than the picture"):
        read_edit(request)


def test_pictures_are_prepared_for_the_working_canvas() -> None:
    model = ModelReference("m")
    request = Request(
        "x", "m", 1, 45, 30, mode=Mode.INPAINT, init_image=scene(45, 30),
        mask=mask(45, 30, (1, 1, 5, 5)), controls=(Control("canny", scene(90, 90), model),),
        references=(Reference(scene(33, 22)),),
    )  # fmt: skip
    prepared = prepare(request, 8)
    assert (prepared.width, prepared.height) == (48, 32)
    for picture in (prepared.start, prepared.region, prepared.controls[0]):
        assert picture is not None and picture.size == (48, 32)
    assert prepared.references[0].size == (33, 22)
    assert prepare(request).width == 45


def test_too_little_strength_for_the_steps_is_refused() -> None:
    request = Request(
        "x", "m", 1, 40, 40, steps=4, strength=0.2, mode=Mode.IMAGE_TO_IMAGE,
        init_image=scene(40, 40),
    )  # fmt: skip
    with pytest.raises(InvalidRequest, match="A strength of 0.2 leaves none of 4 steps"):
        prepare(request)
    assert prepare(replace(request, steps=5)).start is not None
