"""Orders to an edge: what to purge, and the proof that who asks knows the shared secret.

The proof is an HMAC-SHA256 over method, path, time and body, sent as
``Authorization: Imagepipe <Unix seconds>:<hex>``. It counts for five minutes; an order may be
repeated, because doing it twice is doing it once.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from imagepipe.grants import fields as f
from imagepipe.grants.exceptions import InvalidDocument

SCHEME: Final = "Imagepipe"
FRESH_SECONDS: Final = 300
SHORTEST_SECRET: Final = 16
MOST_NAMES: Final = 1000
PURGE_PATH: Final = "/_purge"
EXPLAIN_PATH: Final = "/_explain"

_PROOF = re.compile(rf"{SCHEME} ([0-9]{{1,12}}):([0-9a-f]{{64}})")
_VERSION = re.compile(r"[0-9a-f]{32}\.[0-9a-f]{16}")
_KEYS = ("kind", "assets", "versions", "tags", "all")


class InvalidSecret(ValueError):
    """A file that does not hold a secret of at least 16 bytes."""


@dataclass(frozen=True)
class PurgeOrder:
    """What to forget: assets by uid, versions as ``<asset>.<version>``, cache tags, or all."""

    assets: tuple[str, ...] = ()
    versions: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    everything: bool = False

    def to_json(self) -> bytes:
        """The body of the request."""
        document = {
            "kind": "purge",
            "assets": list(self.assets),
            "versions": list(self.versions),
            "tags": list(self.tags),
            "all": self.everything,
        }
        return json.dumps(document, sort_keys=True).encode()

    @classmethod
    def from_json(cls, body: bytes) -> PurgeOrder:
        """Raises InvalidDocument."""
        try:
            value: Any = json.loads(body)
        except (ValueError, RecursionError):
            raise InvalidDocument("the order is not JSON") from None
        data = f.require_object(value, "order", _KEYS)
        if data["kind"] != "purge" or not isinstance(data["all"], bool):
            raise InvalidDocument("the document is not a purge")
        return cls(
            f.require_texts(data["assets"], "assets", f.HEX32, MOST_NAMES),
            f.require_texts(data["versions"], "versions", _VERSION, MOST_NAMES),
            f.require_texts(data["tags"], "tags", f.TAG, MOST_NAMES),
            data["all"],
        )


def load_secret(path: Path) -> bytes:
    """The secret in a file, without white space around it. Raises InvalidSecret."""
    try:
        secret = Path(path).read_bytes().strip()
    except OSError as error:
        raise InvalidSecret(f"{path} cannot be read: {error.strerror}") from None
    if len(secret) < SHORTEST_SECRET:
        raise InvalidSecret(f"{path} holds less than {SHORTEST_SECRET} bytes")
    return secret


def sign_order(secret: bytes, method: str, path: str, body: bytes, now: int) -> str:
    """The value of the Authorization header."""
    return f"{SCHEME} {now}:{_digest(secret, method, path, body, now)}"


def is_ordered(
    secret: bytes, method: str, path: str, body: bytes, now: int, authorization: str
) -> bool:
    """Whether the header proves the secret, for this very request and not long ago."""
    match = _PROOF.fullmatch(authorization)
    if match is None:
        return False
    at = int(match[1])
    expected = _digest(secret, method, path, body, at)
    return hmac.compare_digest(expected, match[2]) and abs(now - at) <= FRESH_SECONDS


def _digest(secret: bytes, method: str, path: str, body: bytes, now: int) -> str:
    message = f"{method}\n{path}\n{now}\n".encode() + body
    return hmac.new(secret, message, hashlib.sha256).hexdigest()
