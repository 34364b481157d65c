"""The signed envelope around grants and feeds: canonical JSON and an Ed25519 signature.

A sealed document is `{"key": id, "payload": {...}, "signature": base64url}`. The signature
covers key id and payload, and the payload names its kind, so that neither a feed can pass
for a grant nor one key's signature for another's. See https://www.rfc-editor.org/rfc/rfc8032.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any, Literal, NoReturn

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from imagepipe.grants.exceptions import BadSignature, InvalidDocument, UnknownKey, WrongKind

Kind = Literal["grant", "feed"]

LARGEST_DOCUMENT = 1024 * 1024  # bytes
_CONTEXT = b"imagepipe delivery document 1\n"  # no other use of the key signs these bytes
_SIGNATURE_BYTES = 64


def canonical_json(value: object) -> bytes:
    """ASCII JSON with sorted keys and no spaces: equal values give equal bytes."""
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False
    ).encode("ascii")


def seal(payload: Mapping[str, Any], private_key: Ed25519PrivateKey, key_id: str) -> bytes:
    """The payload with its signature, as bytes to store. It must hold its "kind"."""
    if payload.get("kind") not in ("grant", "feed"):
        raise InvalidDocument("the payload does not name its kind")
    body = {"key": key_id, "payload": dict(payload)}
    signature = private_key.sign(_CONTEXT + canonical_json(body))
    encoded = base64.urlsafe_b64encode(signature).rstrip(b"=").decode("ascii")
    data = canonical_json({**body, "signature": encoded})
    if len(data) > LARGEST_DOCUMENT:
        raise InvalidDocument(f"the document is larger than {LARGEST_DOCUMENT} bytes")
    return data


def unseal(
    data: bytes, public_keys: Mapping[str, Ed25519PublicKey], expected_kind: Kind
) -> dict[str, Any]:
    """The payload, once its signature and kind are verified.

    Raises InvalidDocument, UnknownKey, BadSignature or WrongKind. The bytes must be canonical,
    so that one signature belongs to one sequence of bytes.
    """
    body = _parse(data)
    key_id, payload, encoded = (body.get(name) for name in ("key", "payload", "signature"))
    if (
        len(body) != 3
        or not isinstance(key_id, str)
        or not isinstance(payload, dict)
        or not isinstance(encoded, str)
    ):
        raise InvalidDocument("the document is not a sealed document")
    public_key = public_keys.get(key_id)
    if public_key is None:
        raise UnknownKey(f"signed with a key that is not known here: {key_id[:40]!r}")
    signed = _CONTEXT + canonical_json({"key": key_id, "payload": payload})
    try:
        public_key.verify(_decode_signature(encoded), signed)
    except InvalidSignature:
        raise BadSignature("the signature does not fit the document") from None
    if payload.get("kind") != expected_kind:
        raise WrongKind(f"the document is not a {expected_kind}")
    return payload


def _parse(data: bytes) -> dict[str, Any]:
    if len(data) > LARGEST_DOCUMENT:
        raise InvalidDocument(f"the document is larger than {LARGEST_DOCUMENT} bytes")
    try:
        body = json.loads(data.decode("ascii"), parse_constant=_refuse_constant)
        canonical = canonical_json(body)
    except (ValueError, RecursionError):  # UnicodeDecodeError, JSONDecodeError, huge numbers
        raise InvalidDocument("the document is not JSON") from None
    if not isinstance(body, dict):
        raise InvalidDocument("the document is not an object")
    if canonical != data:  # duplicate keys, spaces, another key order, another escape
        raise InvalidDocument("the document is not in canonical form")
    return body


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)  # NaN and Infinity are not JSON


def _decode_signature(encoded: str) -> bytes:
    try:
        signature = base64.b64decode(encoded + "==", altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        signature = b""
    if len(signature) != _SIGNATURE_BYTES:
        raise BadSignature("the signature is not an Ed25519 signature")
    return signature
