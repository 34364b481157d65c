"""Is it really gone? Asking the public address, as a visitor would, after a purge."""

from __future__ import annotations

import time

from imagepipe.delivery.addresses import edge_url
from imagepipe.delivery.purge.http import exchange
from imagepipe.delivery.purge.target import PurgeFailed
from imagepipe.grants import Grant, decide
from imagepipe.urlspec import VERSION_DIGITS, Transform

PROBE_WIDTH = 64
PATIENCE = 3.0  # seconds for the purge to reach every place of a CDN
_GONE = (403, 404, 410, 451)


def probe_of(grant: Grant, now: int) -> str:
    """Address and expectation for a small picture of the newest version.

    It is asked for after every publication, so that caches hold it when it is withdrawn.
    Empty where another picture would stand in.
    """
    if not grant.versions:
        return ""
    version = grant.versions[0].sha256[:VERSION_DIGITS]
    decision = decide(grant, version, now)
    if not decision.allowed and grant.fallback is not None:
        return ""
    document = {"asset": grant.asset, "version": version, "slug": grant.slug}
    address = edge_url(document, Transform(width=PROBE_WIDTH), "jpg")
    return f"{address} {'shown' if decision.allowed else 'gone'}"


def probe(address: str, wanted: str, patience: float = PATIENCE) -> None:
    """Ask until the answer is as wanted: ``shown`` or ``gone``. Raises PurgeFailed."""
    end = time.monotonic() + patience
    while True:
        status, _, _ = exchange("GET", address)
        if (status in _GONE) if wanted == "gone" else (status == 200):
            return
        if time.monotonic() >= end:
            raise PurgeFailed(
                f"after the purge the public address still answers {status}, not as {wanted}"
            )
        time.sleep(0.2)
