"""Checks the content credentials of delivered pictures."""

from __future__ import annotations

import hashlib

from imagepipe.credentials import SourceType, verify
from website.demo.browser import Unexpected

GENERATED = SourceType.TRAINED_ALGORITHMIC_MEDIA.value


def require_proof(delivered: bytes, kind: str, root: bytes, recipe: bytes) -> None:
    """Trusted to the demonstration's root, back to the generation from this recipe."""
    report = verify(delivered, kind, root)
    if report.state != "trusted":
        raise Unexpected(f"{kind}: credential is {report.state} {report.failures}")
    if "c2pa.created" not in report.actions or len(report.chain) < 2:
        raise Unexpected(f"{kind}: no chain to the generation: {report.actions} {report.chain}")
    if report.source_type != GENERATED:
        raise Unexpected(f"{kind}: source type is {report.source_type or 'missing'}")
    said = (report.generation or {}).get("recipe_sha256")
    if said != hashlib.sha256(recipe).hexdigest():
        raise Unexpected(f"{kind}: recipe {said} is not the one of the Studio")
    if verify(delivered, kind).state != "valid":
        raise Unexpected(f"{kind}: trusted even without the demonstration's root")


def require_damage_is_found(delivered: bytes, kind: str, root: bytes) -> None:
    """One flipped byte of the picture's data makes the credential invalid."""
    damaged = bytearray(delivered)
    damaged[-len(damaged) // 8] ^= 0xFF
    state = verify(bytes(damaged), kind, root).state
    if state != "invalid":
        raise Unexpected(f"{kind}: a changed byte went unnoticed ({state})")
