from __future__ import annotations

import builtins
import io
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageEnhance, ImageOps
from skimage import data

from imagepipe.generation.backends.fake import FakeBackend
from imagepipe.generation.request import ModelReference, Request
from imagepipe.quality.duplicates import NearDuplicates
from imagepipe.quality.fingerprints import Fingerprint, fingerprint, hamming
from imagepipe.quality.protocol import Outcome

ASTRONAUT = Image.fromarray(data.astronaut())


def jpeg(image: Image.Image, quality: int) -> Image.Image:
    output = io.BytesIO()
    image.save(output, "JPEG", quality=quality)
    return Image.open(output)


@pytest.mark.parametrize(
    "copy",
    [
        lambda image: image,
        lambda image: jpeg(image, 90),
        lambda image: jpeg(image, 50),
        lambda image: image.resize((200, 200), Image.Resampling.LANCZOS),
        lambda image: ImageEnhance.Brightness(image).enhance(1.05),
        lambda image: ImageEnhance.Contrast(image).enhance(1.05),
        lambda image: image.crop((5, 5, 507, 507)),
    ],
    ids=["same", "jpeg90", "jpeg50", "smaller", "brighter", "contrast", "cropped"],
)
def test_copies_are_refused_with_the_name(copy: Callable[[Image.Image], Image.Image]) -> None:
    known = {
        "coffee": fingerprint(Image.fromarray(data.coffee())),
        "astronaut": fingerprint(ASTRONAUT),
    }

    finding = NearDuplicates(known).check(copy(ASTRONAUT))

    assert finding.outcome is Outcome.REFUSED
    assert finding.code == "duplicate"
    assert "“astronaut”" in finding.message
    assert dict(finding.details)["duplicate_of"] == "astronaut"
    assert finding.score is not None and finding.score <= 4


@pytest.mark.parametrize(
    "other",
    [
        Image.fromarray(data.coffee()),
        ImageOps.mirror(ASTRONAUT),
        ImageOps.flip(ASTRONAUT),
        Image.merge("RGB", ASTRONAUT.split()[::-1]),
        ASTRONAUT.crop((100, 0, 400, 300)),
    ],
    ids=["other", "mirrored", "flipped", "recoloured", "detail"],
)
def test_other_pictures_pass(other: Image.Image) -> None:
    finding = NearDuplicates({"astronaut": fingerprint(ASTRONAUT)}).check(other)
    assert finding.outcome is Outcome.PASSED, finding.message
    assert dict(finding.details)["compared"] == 1


def test_seeds_of_one_prompt_are_not_duplicates() -> None:
    def draw(seed: int) -> Image.Image:
        request = Request("a red boat", "sketch", seed, 256, 256)
        return FakeBackend().generate(request, ModelReference("sketch")).image()

    known: dict[str, Fingerprint] = {}
    for seed in range(12):
        assert NearDuplicates(known).check(draw(seed)).outcome is Outcome.PASSED
        known[str(seed)] = fingerprint(draw(seed))


def test_pictures_asked_for_together_may_be_alike_but_not_the_same() -> None:
    family = {"Portrait #1": fingerprint(ASTRONAUT)}
    alike = ImageEnhance.Brightness(ASTRONAUT.crop((5, 5, 507, 507))).enhance(1.05)
    assert NearDuplicates(family).check(alike).outcome == Outcome.REFUSED
    assert NearDuplicates(family=family).check(alike).outcome == Outcome.PASSED
    same = NearDuplicates(family=family).check(ASTRONAUT.copy())
    assert (same.outcome, same.code) == (Outcome.REFUSED, "duplicate")


def test_nothing_known_nothing_refused() -> None:
    finding = NearDuplicates().check(ASTRONAUT)
    assert (finding.outcome, finding.score) == (Outcome.PASSED, None)
    assert finding.message == "No near-duplicate among 0 pictures."


def test_hashes_alone_suffice_for_old_records() -> None:
    full = fingerprint(ASTRONAUT)
    known = {"old": Fingerprint(full.phash, full.dhash)}
    assert NearDuplicates(known).check(ASTRONAUT).code == "duplicate"


def test_missing_package_is_skipped_not_passed(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *args: object, **options: object) -> object:
        if name == "imagehash":
            raise ImportError(name)
        return real(name, *args, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    finding = NearDuplicates().check(ASTRONAUT)
    assert (finding.outcome, finding.code) == (Outcome.SKIPPED, "unavailable")


hashes = st.integers(0, 2**64 - 1)


@given(
    st.builds(Fingerprint, hashes, hashes, st.just(b"") | st.binary(min_size=48, max_size=48))
)
def test_fingerprint_text_round_trip(value: Fingerprint) -> None:
    assert Fingerprint.from_text(str(value)) == value


@given(st.text(max_size=60))
def test_other_text_is_no_fingerprint(text: str) -> None:
    with pytest.raises(ValueError, match="not a fingerprint"):
        Fingerprint.from_text(text)


@given(hashes, hashes)
def test_hamming_is_a_distance(a: int, b: int) -> None:
    assert hamming(a, b) == hamming(b, a)
    assert (hamming(a, b) == 0) == (a == b)
    assert 0 <= hamming(a, b) <= 64
