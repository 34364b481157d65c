"""Checks the content credentials of delivered pictures, inside them or beside them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from urllib.parse import urljoin

from imagepipe.credentials import SourceType, verify
from website.demo.browser import Browser, Unexpected

GENERATED = SourceType.TRAINED_ALGORITHMIC_MEDIA.value


@dataclass(frozen=True)
class Delivered:
    """A picture, and the address and bytes of the sidecar that its answer announced, if any."""

    content: bytes
    kind: str
    address: str = ""
    sidecar: bytes | None = None


def fetch(browser: Browser, url: str, kind: str) -> Delivered:
    """A picture with its credential, wherever that is."""
    answer = browser.get(url)
    announced = answer.links.get("c2pa-manifest")
    if announced is None:
        return Delivered(answer.content, kind)
    address = urljoin(answer.url, announced["url"])
    beside = browser.get(address)
    found = beside.headers.get("Content-Type", "")
    if beside.status_code != 200 or found != "application/c2pa":
        raise Unexpected(f"{address} answered {beside.status_code} {found}")
    return Delivered(answer.content, kind, address, beside.content)


def require_proof(delivered: Delivered, root: bytes, recipe: bytes) -> None:
    """Trusted to the demonstration's root, back to the generation from this recipe."""
    kind, sidecar = delivered.kind, delivered.sidecar
    report = verify(delivered.content, kind, root, sidecar=sidecar)
    if report.state != "trusted":
        raise Unexpected(f"{kind}: credential is {report.state} {report.failures}")
    if "c2pa.created" not in report.actions or len(report.chain) < 2:
        raise Unexpected(f"{kind}: no chain to the generation: {report.actions} {report.chain}")
    if report.source_type != GENERATED:
        raise Unexpected(f"{kind}: source type is {report.source_type or 'missing'}")
    said = (report.generation or {}).get("recipe_sha256")
    if said != hashlib.sha256(recipe).hexdigest():
        raise Unexpected(f"{kind}: recipe {said} is not the one of the Studio")
    if verify(delivered.content, kind, sidecar=sidecar).state != "valid":
        raise Unexpected(f"{kind}: trusted even without the demonstration's root")


def require_damage_is_found(delivered: Delivered, root: bytes) -> None:
    """One flipped byte of the picture's data makes the credential invalid."""
    damaged = bytearray(delivered.content)
    damaged[-len(damaged) // 8] ^= 0xFF
    state = verify(bytes(damaged), delivered.kind, root, sidecar=delivered.sidecar).state
    if state != "invalid":
        raise Unexpected(f"{delivered.kind}: a changed byte went unnoticed ({state})")
