"""What every post-production step must do. Subclass :class:`StepSuite`, fill ``step``."""

from __future__ import annotations

import json

import pytest
from PIL import Image

from imagepipe.postproduction.protocol import Step, run_steps


def sample(mode: str = "RGB") -> Image.Image:
    bands = [Image.linear_gradient("L").rotate(90 * i).resize((40, 24)) for i in range(4)]
    return Image.merge("RGBA", bands).convert(mode)


class StepSuite:
    @pytest.fixture
    def step(self) -> Step:
        raise NotImplementedError

    def test_satisfies_the_protocol(self, step: Step) -> None:
        assert isinstance(step, Step)
        assert step.slug
        assert step.version

    def test_parameters_are_sorted_and_plain(self, step: Step) -> None:
        assert list(step.parameters) == sorted(step.parameters)
        assert json.loads(json.dumps(dict(step.parameters))) == dict(step.parameters)

    def test_is_deterministic_and_leaves_its_input_alone(self, step: Step) -> None:
        picture = sample()
        first, second = step.apply(picture), step.apply(picture)
        assert first.tobytes() == second.tobytes()
        assert picture.tobytes() == sample().tobytes()

    @pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "P", "1"])
    def test_answers_rgb_or_rgba(self, step: Step, mode: str) -> None:
        result = step.apply(sample(mode))
        assert result.mode == ("RGBA" if mode == "RGBA" else "RGB")

    def test_runner_records_it(self, step: Step) -> None:
        picture, facts = run_steps(sample(), [step, step])
        assert picture.tobytes() == step.apply(step.apply(sample())).tobytes()
        assert [(f.step, f.version, f.parameters) for f in facts] == [
            (step.slug, step.version, step.parameters)
        ] * 2
