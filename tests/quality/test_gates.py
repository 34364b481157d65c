from __future__ import annotations

from collections.abc import Iterator

import pytest
from PIL import Image

from imagepipe.quality import registry
from imagepipe.quality.gates import run_checks
from imagepipe.quality.protocol import Finding, Outcome

PICTURE = Image.new("RGB", (8, 8))


class Always:
    def __init__(self, slug: str, outcome: Outcome) -> None:
        self.slug = slug
        self.outcome = outcome

    def check(self, image: Image.Image) -> Finding:
        return Finding(self.slug, self.outcome, "code", f"{self.slug} says so.")


class Broken:
    slug = "broken"

    def check(self, image: Image.Image) -> Finding:
        raise RuntimeError("secret detail")


PASS, REFUSE, SKIP = (
    Always("pass", Outcome.PASSED),
    Always("refuse", Outcome.REFUSED),
    Always("skip", Outcome.SKIPPED),
)


@pytest.mark.parametrize(
    ("checks", "required", "accepted"),
    [
        ([], [], True),
        ([PASS], [], True),
        ([PASS, SKIP], [], True),
        ([PASS, REFUSE], [], False),
        ([REFUSE, PASS], [], False),
        ([PASS, SKIP], ["skip"], False),
        ([PASS], ["nsfw"], False),
        ([PASS], ["pass"], True),
        ([Broken()], [], True),
        ([Broken()], ["broken"], False),
    ],
)
def test_acceptance(checks: list[object], required: list[str], accepted: bool) -> None:
    assert run_checks(PICTURE, checks, required).accepted is accepted


def test_all_reasons_are_collected() -> None:
    verdict = run_checks(PICTURE, [REFUSE, SKIP, Always("second", Outcome.REFUSED), PASS])
    assert verdict.reasons == ("refuse says so.", "second says so.")
    assert verdict.unchecked == ("skip",)
    assert [f["check"] for f in verdict.to_dict()["findings"]] == [
        "refuse",
        "skip",
        "second",
        "pass",
    ]


def test_a_broken_check_tells_no_secret(caplog: pytest.LogCaptureFixture) -> None:
    (finding,) = run_checks(PICTURE, [Broken()]).findings
    assert (finding.outcome, finding.code) == (Outcome.SKIPPED, "check-failed")
    assert "secret" not in finding.message
    assert "secret detail" in caplog.text


@pytest.fixture
def own_registry(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(registry, "_factories", dict(registry._factories))
    yield


def test_checks_register_through_one_door(own_registry: None) -> None:
    registry.register("mine", Always)
    assert {"technical", "nsfw", "duplicates", "mine"} <= set(registry.available())
    assert registry.build("mine", slug="mine", outcome=Outcome.PASSED).slug == "mine"
    with pytest.raises(LookupError, match="There is no check “nope”"):
        registry.build("nope")
    with pytest.raises(ValueError, match="not a check name"):
        registry.register("../x", Always)
