from __future__ import annotations

import pytest

from imagepipe.postproduction.protocol import Step
from imagepipe.postproduction.upscale import LanczosUpscale
from tests.contracts.step_suite import StepSuite


class TestLanczosUpscale(StepSuite):
    @pytest.fixture
    def step(self) -> Step:
        return LanczosUpscale(2)
