"""What every backend must do with control pictures, adapters and references it declares."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from imagepipe.generation.exceptions import InvalidRequest, UnsupportedRequest
from imagepipe.generation.recording import build_recipe
from imagepipe.generation.request import (
    Adapter,
    Control,
    Mode,
    ModelReference,
    Reference,
    Request,
)
from tests.contracts.backend_suite_case import BackendCase, Recorder, scene
from tests.contracts.backend_suite_modes import in_mode

UNUSED = ModelReference("unused", "unused")
CONDITIONS = {
    "controls": (Control("canny", scene(32, 32), UNUSED),),
    "adapters": (Adapter("unused", "unused"),),
    "references": (Reference(scene(32, 32)),),
}


class ConditionsSuite:
    @pytest.fixture(params=CONDITIONS)
    def condition(self, request: pytest.FixtureRequest) -> str:
        return request.param

    def test_a_condition_steers_the_picture_or_is_refused(
        self, case: BackendCase, condition: str
    ) -> None:
        if not _supports(case, condition):
            seen = Recorder()
            asked = replace(case.request, **{condition: CONDITIONS[condition]})
            with pytest.raises(UnsupportedRequest):
                case.backend.generate(asked, case.model, seen)
            assert seen.calls == []
            return
        base = case.backend.generate(case.request, case.model)
        asked = _with(case, condition)

        steered = case.backend.generate(asked, case.model, Recorder())

        assert steered.png != base.png
        assert case.backend.generate(asked, case.model).png == steered.png
        assert case.backend.generate(case.request, case.model).png == base.png

    def test_the_weight_of_a_condition_counts(self, case: BackendCase, condition: str) -> None:
        if not _supports(case, condition):
            return
        pictures = set()
        for weight in (0.25, 1.0):
            weighted = tuple(replace(c, weight=weight) for c in getattr(case, condition)[:1])
            asked = replace(_with(case, condition), steps=2, **{condition: weighted})
            pictures.add(case.backend.generate(asked, case.model).png)
        assert len(pictures) == 2

    def test_a_condition_is_in_the_recipe_with_its_content(
        self, case: BackendCase, condition: str
    ) -> None:
        if not _supports(case, condition):
            return
        asked = _with(case, condition)
        recipe = build_recipe(asked, case.model, case.backend.generate(asked, case.model))
        assert len(recipe.adapters) == len(getattr(case, condition))
        if case.backend.capabilities(case.model).identifies_weights:
            assert all(len(facts.sha256) == 64 for facts in recipe.adapters)

    @pytest.mark.parametrize("name", ["controls", "references"])
    def test_broken_pictures_of_conditions_are_refused(
        self, case: BackendCase, name: str
    ) -> None:
        if not _supports(case, name):
            return
        broken = tuple(replace(c, image=b"x") for c in getattr(case, name))
        seen = Recorder()
        with pytest.raises(InvalidRequest, match="cannot be read"):
            case.backend.generate(replace(case.request, **{name: broken}), case.model, seen)
        assert seen.calls == []

    def test_conditions_go_with_every_mode_that_declares_them(self, case: BackendCase) -> None:
        capabilities = case.backend.capabilities(case.model)
        for mode in capabilities.modes - {Mode.TEXT_TO_IMAGE}:
            asked = replace(in_mode(case, mode), steps=2)
            plain = case.backend.generate(asked, case.model)
            for name, modes in (
                ("controls", capabilities.control_modes),
                ("references", capabilities.reference_modes),
                ("adapters", capabilities.modes),
            ):
                if not _supports(case, name):
                    continue
                conditions = getattr(case, name)
                request = replace(asked, prompt=_prompt(case, name), **{name: conditions})
                if mode in modes:
                    assert case.backend.generate(request, case.model).png != plain.png
                else:
                    with pytest.raises(UnsupportedRequest):
                        case.backend.generate(request, case.model)

    def test_concurrent_jobs_of_all_kinds_equal_serial_ones(self, case: BackendCase) -> None:
        capabilities = case.backend.capabilities(case.model)
        if not capabilities.reproducible:
            return
        requests = [replace(case.request, seed=3, steps=6)]
        requests += [in_mode(case, mode) for mode in sorted(capabilities.modes)[:1]]
        for name in CONDITIONS:
            if _supports(case, name):
                requests.append(_with(case, name))
        for number, scheduler in enumerate(capabilities.schedulers[: len(requests)]):
            requests[number] = replace(requests[number], scheduler=scheduler)
        serial = [case.backend.generate(request, case.model).png for request in requests]
        found: dict[int, bytes] = {}

        def work(number: int) -> None:
            found[number] = case.backend.generate(requests[number], case.model, Recorder()).png

        threads = [threading.Thread(target=work, args=(n,)) for n in range(len(requests))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert [found.get(number) for number in range(len(requests))] == serial


def _supports(case: BackendCase, condition: str) -> bool:
    return getattr(case.backend.capabilities(case.model), f"supports_{condition}")


def _with(case: BackendCase, condition: str) -> Request:
    conditions = getattr(case, condition)
    assert conditions, f"The case declares {condition} and gives none."
    return replace(case.request, prompt=_prompt(case, condition), **{condition: conditions})


def _prompt(case: BackendCase, condition: str) -> str:
    """Embeddings are named in the prompt."""
    if condition != "adapters":
        return case.request.prompt
    return " ".join([case.request.prompt, *(a.token for a in case.adapters if a.token)])
