"""What every generation backend must do. Subclass :class:`BackendSuite` and fill ``case``."""

from __future__ import annotations

import io
import threading
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from imagepipe.generation.backends.protocol import Backend
from imagepipe.generation.exceptions import Cancelled, UnsupportedRequest
from tests.contracts.backend_suite_case import BackendCase, Recorder, pixels
from tests.contracts.backend_suite_conditions import ConditionsSuite
from tests.contracts.backend_suite_modes import ModesSuite

__all__ = ["BackendCase", "BackendSuite", "Recorder"]


class BackendSuite(ModesSuite, ConditionsSuite):
    @pytest.fixture(scope="class")
    def case(self) -> BackendCase:
        raise NotImplementedError

    def test_satisfies_the_protocol(self, case: BackendCase) -> None:
        assert isinstance(case.backend, Backend)
        assert case.backend.name
        assert case.backend.version

    def test_gives_a_png_of_the_asked_size(self, case: BackendCase) -> None:
        result = case.backend.generate(case.request, case.model)

        assert result.png.startswith(b"\x89PNG\r\n\x1a\n")
        assert result.image().size == (case.request.width, case.request.height)
        assert (result.width, result.height) == (case.request.width, case.request.height)
        assert result.image().mode == "RGB"
        assert result.seed == case.request.seed
        assert result.seconds >= 0

    def test_honours_another_size(self, case: BackendCase) -> None:
        width, height = case.other_size

        result = case.backend.generate(
            replace(case.request, width=width, height=height), case.model
        )

        assert result.image().size == (width, height)

    def test_repeats_itself_for_the_same_seed(self, case: BackendCase) -> None:
        if not case.backend.capabilities(case.model).reproducible:
            return
        first = case.backend.generate(case.request, case.model)
        second = case.backend.generate(case.request, case.model)

        assert first.png == second.png
        assert first.environment == second.environment

    def test_another_seed_gives_another_picture(self, case: BackendCase) -> None:
        pictures = {
            case.backend.generate(replace(case.request, seed=seed), case.model).png
            for seed in (1, 2, 2**40)
        }
        assert len(pictures) == 3

    def test_another_prompt_gives_another_picture(self, case: BackendCase) -> None:
        other = replace(case.request, prompt="a yellow boat")
        first = case.backend.generate(case.request, case.model)
        assert case.backend.generate(other, case.model).png != first.png

    def test_progress_is_monotone_and_complete(self, case: BackendCase) -> None:
        seen = Recorder()

        case.backend.generate(case.request, case.model, seen)

        steps = [step for step, _ in seen.calls]
        totals = {total for step, total in seen.calls if step}
        assert steps == list(range(len(steps)))
        assert totals == {steps[-1]}
        assert steps[-1] >= case.request.steps

    def test_progress_does_not_change_the_picture(self, case: BackendCase) -> None:
        if not case.backend.capabilities(case.model).reproducible:
            return
        silent = case.backend.generate(case.request, case.model)
        watched = case.backend.generate(case.request, case.model, Recorder())
        assert silent.png == watched.png

    def test_previews_are_small_jpegs(self, case: BackendCase) -> None:
        seen = Recorder()
        case.backend.generate(replace(case.request, steps=12), case.model, seen)

        if case.backend.capabilities(case.model).supports_preview:
            assert seen.previews
        for preview in seen.previews:
            image = Image.open(io.BytesIO(preview))
            assert image.format == "JPEG"
            assert max(image.size) <= 256

    @pytest.mark.parametrize("after", [0, 1, 3])
    def test_cancel_stops_within_one_step(self, case: BackendCase, after: int) -> None:
        before = case.backend.generate(case.request, case.model)
        seen = Recorder(cancel_after=after)

        with pytest.raises(Cancelled):
            case.backend.generate(replace(case.request, steps=50), case.model, seen)

        assert seen.calls[-1][0] == after
        again = case.backend.generate(case.request, case.model)
        if case.backend.capabilities(case.model).reproducible:
            assert again.png == before.png

    def test_errors_of_the_callback_reach_the_caller(self, case: BackendCase) -> None:
        def broken(step: int, steps: int, preview: bytes | None) -> None:
            raise LookupError("mine")

        with pytest.raises(LookupError, match="mine"):
            case.backend.generate(case.request, case.model, broken)

    def test_every_declared_scheduler_works(self, case: BackendCase) -> None:
        for scheduler in case.backend.capabilities(case.model).schedulers:
            request = replace(case.request, scheduler=scheduler, steps=4)
            result = case.backend.generate(request, case.model, Recorder())
            assert result.environment.scheduler == scheduler

    @pytest.mark.parametrize(
        "change",
        [
            {"scheduler": "NoSuchScheduler"},
            {"scheduler": "os.system"},
            {"width": 16_384, "height": 16_384},
            {"steps": 1000},
        ],
        ids=str,
    )
    def test_refuses_what_it_does_not_declare(
        self, case: BackendCase, change: dict[str, object]
    ) -> None:
        seen = Recorder()
        with pytest.raises(UnsupportedRequest):
            case.backend.generate(replace(case.request, **change), case.model, seen)
        assert seen.calls == []

    def test_native_sizes_are_possible(self, case: BackendCase) -> None:
        capabilities = case.backend.capabilities(case.model)
        assert capabilities.native_sizes
        for width, height in capabilities.native_sizes:
            capabilities.check(replace(case.request, width=width, height=height))

    def test_environment_names_what_a_replay_needs(self, case: BackendCase) -> None:
        environment = case.backend.generate(case.request, case.model).environment
        assert environment.backend == case.backend.name
        assert environment.backend_version == case.backend.version
        capabilities = case.backend.capabilities(case.model)
        lengths = {64} if capabilities.identifies_weights else {0, 64}
        assert len(environment.model_sha256) in lengths
        assert environment.scheduler or not capabilities.schedulers
        assert environment.precision
        assert environment.threads >= 1
        assert "python" in dict(environment.libraries)

    def test_concurrent_jobs_do_not_mix(self, case: BackendCase) -> None:
        requests = [
            replace(case.request, prompt=prompt, seed=seed, steps=steps)
            for prompt, seed, steps in (("an apple", 1, 4), ("a boat", 2, 6), ("a cat", 3, 9))
        ]
        expected = [case.backend.generate(request, case.model).png for request in requests]
        found: dict[int, bytes] = {}

        def work(number: int) -> None:
            found[number] = case.backend.generate(requests[number], case.model, Recorder()).png

        threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        if case.backend.capabilities(case.model).reproducible:
            assert [found.get(number) for number in range(3)] == expected
        for number in range(3):
            distances = [np.abs(pixels(found[number]) - pixels(e)).mean() for e in expected]
            assert min(distances) == distances[number]

    def test_what_is_declared_to_count_counts(self, case: BackendCase) -> None:
        capabilities = case.backend.capabilities(case.model)
        if not capabilities.reproducible:
            return
        base = case.backend.generate(case.request, case.model).png
        changes: dict[str, object] = {}
        if capabilities.supports_guidance:
            changes["guidance"] = case.request.guidance + 3
        if capabilities.supports_negative:
            changes["negative_prompt"] = "blurry"
        for name, value in changes.items():
            changed = replace(case.request, **{name: value})
            assert case.backend.generate(changed, case.model).png != base, name
