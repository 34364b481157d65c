from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagepipe.grants import STATUS, Decision, Grant, GrantedVersion, decide

NEW, OLD, GONE = "a" * 64, "b" * 64, "c" * 64
FALLBACK = "f" * 32
START, END, STALE = 1_000, 2_000, 5_000

CURRENT = GrantedVersion(
    NEW, "image/png", 10, 10, 1, "published", valid_from=START, valid_until=END
)
GRANT = Grant(
    asset="0" * 32,
    sequence=1,
    issued_at=0,
    valid_until=STALE,
    slug="sunset",
    versions=(
        CURRENT,
        GrantedVersion(OLD, "image/png", 10, 10, 1, "superseded"),
        GrantedVersion(GONE, "image/png", 10, 10, 1, "withdrawn"),
    ),
    fallback=FALLBACK,
)


def with_current(**changes: object) -> Grant:
    return replace(GRANT, versions=(replace(CURRENT, **changes), *GRANT.versions[1:]))  # type: ignore[arg-type]


def refused(reason: str, not_after: int | None = None) -> Decision:
    return Decision(False, STATUS[reason], reason, None, not_after, FALLBACK)  # type: ignore[arg-type, index]


def test_statuses() -> None:
    assert STATUS == {
        "ok": 200,
        "superseded": 200,
        "unknown-version": 404,
        "withdrawn": 410,
        "not-yet": 403,
        "expired": 410,
        "market": 451,
        "channel": 403,
        "stale-grant": 503,
    }


@pytest.mark.parametrize(
    "prefix, now, expected",
    [
        (NEW[:16], 1_500, Decision(True, 200, "ok", CURRENT, END)),
        (NEW, 1_500, Decision(True, 200, "ok", CURRENT, END)),
        (NEW[:16], START - 1, refused("not-yet", START)),
        (NEW[:16], START, Decision(True, 200, "ok", CURRENT, END)),
        (NEW[:16], END - 1, Decision(True, 200, "ok", CURRENT, END)),
        (NEW[:16], END, refused("expired")),
        (NEW[:16], STALE, refused("stale-grant")),
        (OLD[:16], 1_500, Decision(True, 200, "superseded", CURRENT, END)),
        (OLD[:16], START - 1, refused("not-yet", START)),
        (OLD[:16], END, refused("expired")),
        (OLD[:16], STALE, refused("stale-grant")),
        (GONE[:16], 1_500, refused("withdrawn")),
        (GONE[:16], STALE, refused("withdrawn")),
        ("d" * 16, 1_500, refused("unknown-version")),
        ("d" * 16, STALE, refused("stale-grant")),
        (NEW[:15], 1_500, refused("unknown-version")),
        ("", 1_500, refused("unknown-version")),
    ],
)
def test_states_and_time_windows(prefix: str, now: int, expected: Decision) -> None:
    assert decide(GRANT, prefix, now) == expected


@pytest.mark.parametrize(
    "markets, market, reason",
    [
        ((), None, "ok"),
        ((), "US", "ok"),
        (("DE", "AT"), "DE", "ok"),
        (("DE", "AT"), "at", "ok"),
        (("DE", "AT"), "US", "market"),
        (("DE", "AT"), None, "market"),
        (("DE", "AT"), "", "market"),
    ],
)
def test_markets(markets: tuple[str, ...], market: str | None, reason: str) -> None:
    decision = decide(with_current(markets=markets), NEW[:16], 1_500, market)
    assert (decision.reason, decision.status) == (reason, STATUS[reason])  # type: ignore[index]


@pytest.mark.parametrize(
    "channels, channel, reason",
    [
        ((), "web", "ok"),
        (("web",), "web", "ok"),
        (("email", "web"), "web", "ok"),
        (("email",), "web", "channel"),
        (("web",), "", "channel"),
    ],
)
def test_channels(channels: tuple[str, ...], channel: str, reason: str) -> None:
    decision = decide(with_current(channels=channels), NEW[:16], 1_500, channel=channel)
    assert (decision.reason, decision.status) == (reason, STATUS[reason])  # type: ignore[index]


def test_the_first_reason_that_applies_is_given() -> None:
    grant = with_current(markets=("DE",), channels=("email",))
    assert decide(grant, NEW[:16], END, "US").reason == "expired"
    assert decide(grant, NEW[:16], 0, "US").reason == "not-yet"
    assert decide(grant, NEW[:16], 1_500, "US").reason == "market"
    assert decide(grant, NEW[:16], 1_500, "DE").reason == "channel"


def test_a_preview_ignores_start_market_and_channel() -> None:
    grant = with_current(markets=("DE",), channels=("email",))
    assert decide(grant, NEW[:16], 0, "US", preview=True).reason == "ok"
    assert decide(grant, OLD[:16], 0, "US", preview=True).reason == "superseded"


def test_a_preview_does_not_revive_what_has_ended() -> None:
    assert decide(GRANT, NEW[:16], END, preview=True).reason == "expired"
    assert decide(GRANT, GONE[:16], 1_500, preview=True).reason == "withdrawn"
    assert decide(GRANT, NEW[:16], STALE, preview=True).reason == "stale-grant"


def test_a_superseded_url_without_a_published_version_is_withdrawn() -> None:
    assert decide(with_current(state="withdrawn"), OLD[:16], 1_500) == refused("withdrawn")


def test_a_superseded_url_serves_the_newest_version_that_may_be_shown() -> None:
    scheduled = GrantedVersion("e" * 64, "image/png", 9, 9, 1, "published", valid_from=1_800)
    grant = replace(GRANT, versions=(scheduled, *GRANT.versions))
    assert decide(grant, OLD[:16], 1_500).version == CURRENT
    assert decide(grant, OLD[:16], 1_800).version == scheduled


def test_grace_extends_the_freshness_of_the_document_only() -> None:
    endless = with_current(valid_until=None)
    assert decide(endless, NEW[:16], STALE).reason == "stale-grant"
    assert decide(endless, NEW[:16], STALE + 59, grace=60).reason == "ok"
    assert decide(endless, NEW[:16], STALE + 60, grace=60).reason == "stale-grant"
    assert decide(GRANT, NEW[:16], STALE, grace=60).reason == "expired"


def test_an_ambiguous_prefix_is_unknown() -> None:
    twin = replace(CURRENT, sha256="a" * 16 + "0" * 48)
    grant = replace(GRANT, versions=(*GRANT.versions, twin))
    assert decide(grant, "a" * 16, 1_500).reason == "unknown-version"


@given(
    st.sampled_from([NEW, OLD, GONE, "d" * 64]),
    st.integers(0, 10_000),
    st.none() | st.sampled_from(["DE", "US"]),
    st.sampled_from(["web", "email"]),
    st.booleans(),
)
def test_only_a_published_version_within_its_rights_is_ever_served(
    sha256: str, now: int, market: str | None, channel: str, preview: bool
) -> None:
    grant = with_current(markets=("DE",), channels=("web",))
    decision = decide(grant, sha256[:16], now, market, channel, preview)
    assert decision.status == STATUS[decision.reason]
    assert decision.allowed == (decision.version is not None) == (decision.status == 200)
    if decision.version is not None:
        assert decision.version.state == "published"
        assert now < END and now < STALE
        assert preview or (now >= START and market == "DE" and channel == "web")
    else:
        assert decision.fallback == FALLBACK
