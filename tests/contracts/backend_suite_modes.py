"""What every backend must do in the modes that start from a picture, if it declares them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from imagepipe.generation.exceptions import Cancelled, InvalidRequest, UnsupportedRequest
from imagepipe.generation.recipe import Recipe
from imagepipe.generation.recording import build_recipe
from imagepipe.generation.request import Mode, Request
from tests.contracts.backend_suite_case import BackendCase, Recorder, mask, pixels, scene

EDITING = (Mode.IMAGE_TO_IMAGE, Mode.INPAINT, Mode.OUTPAINT)
FEATHER = 3


def in_mode(case: BackendCase, mode: Mode) -> Request:
    """Return the case's request, starting from a picture."""
    width, height = case.request.width, case.request.height
    changes: dict[str, object] = {"init_image": scene(width, height)}
    if mode is Mode.INPAINT:
        changes["mask"] = mask(width, height, (16, 16, width - 16, height - 20))
    if mode is Mode.OUTPAINT:
        changes = {"init_image": scene(width - 24, height - 16), "offset": (8, 16)}
    return replace(case.request, mode=mode, feather=FEATHER, strength=0.8, **changes)


class ModesSuite:
    @pytest.fixture(params=EDITING, ids=str)
    def mode(self, request: pytest.FixtureRequest) -> Mode:
        return request.param

    def test_a_mode_works_or_is_refused(self, case: BackendCase, mode: Mode) -> None:
        request, seen = in_mode(case, mode), Recorder()
        if mode not in case.backend.capabilities(case.model).modes:
            with pytest.raises(UnsupportedRequest):
                case.backend.generate(request, case.model, seen)
            assert seen.calls == []
            return

        result = case.backend.generate(request, case.model, seen)

        assert result.image().size == (request.width, request.height)
        assert result.image().mode == "RGB"
        steps = [step for step, _ in seen.calls]
        assert steps == list(range(len(steps)))
        assert {total for step, total in seen.calls if step} == {steps[-1]}
        recipe = build_recipe(request, case.model, result)
        assert recipe.mode == mode
        assert len(recipe.sources) == (2 if request.mask else 1)
        assert Recipe.from_json(recipe.canonical()) == recipe

    def test_a_mode_repeats_itself_and_follows_seed_and_picture(
        self, case: BackendCase, mode: Mode
    ) -> None:
        capabilities = case.backend.capabilities(case.model)
        if mode not in capabilities.modes or not capabilities.reproducible:
            return
        request = replace(in_mode(case, mode), steps=3)
        other = scene(*_size(request), colour=(20, 90, 240))

        first = case.backend.generate(request, case.model)

        assert case.backend.generate(request, case.model, Recorder()).png == first.png
        changes: tuple[dict[str, object], ...] = ({"seed": 99}, {"init_image": other})
        for change in changes:
            assert case.backend.generate(replace(request, **change), case.model).png != (
                first.png
            )

    @pytest.mark.parametrize("after", [0, 1])
    def test_cancel_stops_a_mode_within_one_step(
        self, case: BackendCase, mode: Mode, after: int
    ) -> None:
        capabilities = case.backend.capabilities(case.model)
        if mode not in capabilities.modes or not capabilities.supports_cancel:
            return
        seen = Recorder(cancel_after=after)
        with pytest.raises(Cancelled):
            case.backend.generate(replace(in_mode(case, mode), steps=30), case.model, seen)
        assert seen.calls[-1][0] == after

    def test_previews_show_a_mode_in_the_making(self, case: BackendCase, mode: Mode) -> None:
        capabilities = case.backend.capabilities(case.model)
        if mode not in capabilities.modes or not capabilities.supports_preview:
            return
        seen = Recorder()
        case.backend.generate(replace(in_mode(case, mode), steps=7), case.model, seen)
        assert seen.previews

    def test_pictures_that_cannot_be_read_are_refused_at_once(
        self, case: BackendCase, mode: Mode
    ) -> None:
        if mode not in case.backend.capabilities(case.model).modes:
            return
        for broken in (b"", b"x", b"<svg/>", scene(64, 64)[:200]):
            seen = Recorder()
            with pytest.raises(InvalidRequest, match="cannot be read"):
                case.backend.generate(
                    replace(in_mode(case, mode), init_image=broken), case.model, seen
                )
            assert seen.calls == []

    @pytest.mark.parametrize("size", [(0, 0), (-3, 5)], ids=["usual", "odd"])
    def test_inpainting_leaves_all_outside_the_feathered_mask(
        self, case: BackendCase, size: tuple[int, int]
    ) -> None:
        if Mode.INPAINT not in case.backend.capabilities(case.model).modes:
            return
        width, height = case.request.width + size[0], case.request.height + size[1]
        box = (20, 16, 40, 36)
        request = replace(
            in_mode(case, Mode.INPAINT),
            width=width,
            height=height,
            init_image=scene(width, height),
            mask=mask(width, height, box),
        )

        result = case.backend.generate(request, case.model)

        changed = np.argwhere((pixels(result.png) != pixels(scene(width, height))).any(-1))
        assert len(changed) > 50
        low, high = changed.min(0), changed.max(0)
        assert low[1] >= box[0] - FEATHER and low[0] >= box[1] - FEATHER
        assert high[1] < box[2] + FEATHER and high[0] < box[3] + FEATHER

    @pytest.mark.parametrize("side", ["left", "top", "right", "bottom"])
    def test_outpainting_extends_any_side_and_keeps_the_picture(
        self, case: BackendCase, side: str
    ) -> None:
        if Mode.OUTPAINT not in case.backend.capabilities(case.model).modes:
            return
        canvas = (case.request.width, case.request.height)
        across = side in {"left", "right"}
        size = (canvas[0] - 20, canvas[1]) if across else (canvas[0], canvas[1] - 20)
        offset = {"left": (20, 0), "top": (0, 20)}.get(side, (0, 0))
        source = scene(*size)
        request = replace(
            in_mode(case, Mode.OUTPAINT), steps=2, init_image=source, offset=offset
        )

        found = pixels(case.backend.generate(request, case.model).png)

        kept = {
            "left": np.s_[:, FEATHER:],
            "top": np.s_[FEATHER:],
            "right": np.s_[:, : size[0] - FEATHER],
            "bottom": np.s_[: size[1] - FEATHER],
        }[side]
        inside = found[offset[1] : offset[1] + size[1], offset[0] : offset[0] + size[0]]
        assert np.array_equal(inside[kept], pixels(source)[kept])
        new = {
            "left": found[:, :20],
            "top": found[:20],
            "right": found[:, -20:],
            "bottom": found[-20:],
        }[side]
        assert new.std() > 0

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"mask": mask(64, 64, (0, 0, 0, 0))}, "The mask is empty"),
            ({"mask": b"x"}, "The mask cannot be read"),
            ({"init_image": scene(40, 40)}, "Inpainting keeps the size of the picture: 40×40"),
        ],
        ids=["empty", "broken", "other size"],
    )
    def test_masks_that_make_no_sense_are_refused(
        self, case: BackendCase, change: dict[str, bytes], message: str
    ) -> None:
        if Mode.INPAINT not in case.backend.capabilities(case.model).modes:
            return
        request = replace(
            in_mode(case, Mode.INPAINT),
            width=64,
            height=64,
            init_image=scene(64, 64),
            mask=mask(64, 64, (8, 8, 16, 16)),
        )
        with pytest.raises(InvalidRequest, match=message):
            case.backend.generate(replace(request, **change), case.model)

    def test_a_picture_that_is_not_on_the_canvas_is_refused(self, case: BackendCase) -> None:
        if Mode.OUTPAINT not in case.backend.capabilities(case.model).modes:
            return
        request = replace(in_mode(case, Mode.OUTPAINT), offset=(500, 0))
        with pytest.raises(InvalidRequest, match="does not lie within the new canvas"):
            case.backend.generate(request, case.model)


def _size(request: Request) -> tuple[int, int]:
    height, width, _ = pixels(request.init_image or b"").shape
    return width, height
