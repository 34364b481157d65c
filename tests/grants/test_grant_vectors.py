"""Literal documents that any implementation of the format must read the same way."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from imagepipe.grants import FeedDocument, Grant, decide, exceptions, seal, unseal

VECTORS = json.loads(
    (Path(__file__).parents[2] / "fixtures" / "vectors" / "grants.json").read_text("utf-8")
)
PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(VECTORS["private_key"]))
PUBLIC = {
    key_id: Ed25519PublicKey.from_public_bytes(bytes.fromhex(encoded))
    for key_id, encoded in VECTORS["public_keys"]["keys"].items()
}
GENUINE = [document for document in VECTORS["documents"] if document["error"] is None]
REFUSED = [document for document in VECTORS["documents"] if document["error"]]


@pytest.mark.parametrize("document", GENUINE, ids=lambda document: document["name"])
def test_genuine_documents(document: dict[str, Any]) -> None:
    sealed = document["sealed"].encode("ascii")
    payload = unseal(sealed, PUBLIC, document["kind"])
    assert payload == document["payload"]
    assert seal(payload, PRIVATE, "g1") == sealed
    reader = Grant if document["kind"] == "grant" else FeedDocument
    assert reader.from_dict(payload).to_dict() == payload


@pytest.mark.parametrize("document", REFUSED, ids=lambda document: document["name"])
def test_refused_documents(document: dict[str, Any]) -> None:
    with pytest.raises(exceptions.DocumentError) as caught:
        unseal(document["sealed"].encode(), PUBLIC, document["kind"])
    assert type(caught.value).__name__ == document["error"]


@pytest.mark.parametrize("case", VECTORS["decisions"]["cases"])
def test_decisions(case: dict[str, Any]) -> None:
    grant = Grant.from_dict(VECTORS["decisions"]["grant"])
    decision = decide(
        grant, case["version"], case["now"], case["market"], case["channel"], case["preview"]
    )
    assert case["expected"] == {
        "allowed": decision.allowed,
        "status": decision.status,
        "reason": decision.reason,
        "served": decision.version and decision.version.sha256,
        "not_after": decision.not_after,
        "fallback": decision.fallback,
    }


def test_a_grant_of_a_publisher_older_than_the_edge_is_read() -> None:
    payload = next(d["payload"] for d in GENUINE if d["kind"] == "grant")
    older = [{k: v for k, v in item.items() if k != "subject"} for item in payload["versions"]]

    grant = Grant.from_dict(payload | {"versions": older})

    assert [version.subject for version in grant.versions] == [None] * len(older)
