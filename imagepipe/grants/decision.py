"""May this version of this asset be shown to this request? A pure function of the grant."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from imagepipe.grants.grant import Grant
from imagepipe.grants.version import GrantedVersion

Reason = Literal[
    "ok",
    "superseded",
    "unknown-version",
    "withdrawn",
    "not-yet",
    "expired",
    "market",
    "channel",
    "stale-grant",
]

#: HTTP status of every reason.
STATUS: dict[Reason, int] = {
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

SHORTEST_PREFIX = 16  # hex digits of the content hash in a URL


@dataclass(frozen=True)
class Decision:
    """The answer and its reason.

    version is the master to serve, which for "superseded" is the current one and not the one
    asked for. not_after is when this answer stops being true, in Unix seconds, if known.
    fallback is the asset to show instead of a refused one.
    """

    allowed: bool
    status: int
    reason: Reason
    version: GrantedVersion | None = None
    not_after: int | None = None
    fallback: str | None = None


def decide(
    grant: Grant,
    version_prefix: str,
    now: int,
    market: str | None = None,
    channel: str = "web",
    preview: bool = False,
    *,
    grace: int = 0,
) -> Decision:
    """Decide on one request.

    version_prefix is at least the first 16 hex digits of the content hash, market the
    requester's (None: not known, refused where markets are limited). A preview ignores
    valid_from, markets and channels, never a withdrawal or an expiry. grace is how many
    seconds past its freshness the grant still counts.
    """
    asked = _find(grant, version_prefix)
    if asked is not None and asked.state == "withdrawn":
        return _refusal(grant, "withdrawn")
    if now >= grant.valid_until + grace:
        return _refusal(grant, "stale-grant")
    if asked is None:
        return _refusal(grant, "unknown-version")
    if asked.state == "published":
        return _judge(grant, asked, now, market, channel, preview)
    return _judge_successor(grant, now, market, channel, preview)


def _find(grant: Grant, prefix: str) -> GrantedVersion | None:
    if len(prefix) < SHORTEST_PREFIX:
        return None
    found = [version for version in grant.versions if version.sha256.startswith(prefix)]
    return found[0] if len(found) == 1 else None


def _judge(
    grant: Grant,
    version: GrantedVersion,
    now: int,
    market: str | None,
    channel: str,
    preview: bool,
) -> Decision:
    if version.valid_until is not None and now >= version.valid_until:
        return _refusal(grant, "expired")
    if not preview:
        if version.valid_from is not None and now < version.valid_from:
            return _refusal(grant, "not-yet", not_after=version.valid_from)
        if version.markets and (market or "").upper() not in version.markets:
            return _refusal(grant, "market", not_after=version.valid_until)
        if version.channels and channel not in version.channels:
            return _refusal(grant, "channel", not_after=version.valid_until)
    return Decision(True, STATUS["ok"], "ok", version, version.valid_until)


def _judge_successor(
    grant: Grant, now: int, market: str | None, channel: str, preview: bool
) -> Decision:
    """Versions are listed newest first: the first that may be shown is the current one."""
    refused = None
    for version in grant.versions:
        if version.state != "published":
            continue
        decision = _judge(grant, version, now, market, channel, preview)
        if decision.allowed:
            return replace(decision, reason="superseded", status=STATUS["superseded"])
        refused = refused or decision
    return refused or _refusal(grant, "withdrawn")


def _refusal(grant: Grant, reason: Reason, not_after: int | None = None) -> Decision:
    return Decision(False, STATUS[reason], reason, None, not_after, grant.fallback)
