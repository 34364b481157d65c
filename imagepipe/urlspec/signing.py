"""Signed URLs: `/<kid>/<signature>/<path>`, HMAC-SHA256 over `<kid>/<path>`, several keys."""

from __future__ import annotations

import binascii
import hmac
import json
import re
import secrets
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from imagepipe.urlspec.exceptions import (
    BadSignature,
    Expired,
    InvalidKeyring,
    InvalidPath,
    UnknownKey,
)
from imagepipe.urlspec.formats import EXTENSIONS
from imagepipe.urlspec.path import MAX_PATH, ImagePath, build_path, parse_path

MIN_KEY_BYTES: Final = 16
KEY_BYTES: Final = 32

_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_KID = re.compile(r"[a-z0-9]{1,16}")
_URL = re.compile(r"/(?P<kid>[a-z0-9]{1,16})/(?P<signature>[A-Za-z0-9_-]{43})/(?P<path>.+)")


class Keyring:
    """The keys URLs are verified with, by key id, and the one new URLs are signed with.

    To rotate: add a key, make it active, and remove the old one when pages and caches no
    longer hold its URLs. Raises InvalidKeyring.
    """

    __slots__ = ("_active", "_contexts", "_keys")

    def __init__(self, keys: Mapping[str, bytes], active: str) -> None:
        for kid, key in keys.items():
            if not isinstance(kid, str) or not _KID.fullmatch(kid):
                raise InvalidKeyring("a key id has 1 to 16 of a-z and 0-9")
            if not isinstance(key, bytes) or len(key) < MIN_KEY_BYTES:
                raise InvalidKeyring(f"key {kid} must have at least {MIN_KEY_BYTES} bytes")
        if active not in keys:
            raise InvalidKeyring("the active key is not among the keys")
        self._keys = MappingProxyType(dict(keys))
        self._active = active
        # The key is worked in once, not for every address.
        self._contexts = {kid: hmac.new(key, digestmod="sha256") for kid, key in keys.items()}

    def __repr__(self) -> str:
        return f"Keyring(active={self._active!r}, ids={sorted(self._keys)!r})"

    @property
    def active(self) -> str:
        """Id of the key that signs."""
        return self._active

    @property
    def ids(self) -> tuple[str, ...]:
        """Ids of all keys that verify."""
        return tuple(self._keys)

    @classmethod
    def generate(cls, kid: str = "k1") -> Keyring:
        """A keyring with one new random key."""
        return cls({kid: secrets.token_bytes(KEY_BYTES)}, kid)

    def rotated(self, kid: str) -> Keyring:
        """The same keys and a new random one, which is active."""
        if kid in self._keys:
            raise InvalidKeyring(f"key {kid} exists already")
        return Keyring({**self._keys, kid: secrets.token_bytes(KEY_BYTES)}, kid)

    @classmethod
    def from_json(cls, text: str | bytes) -> Keyring:
        """Read `{"active": "k1", "keys": {"k1": "<hex>"}}`."""
        try:
            document = json.loads(text)
            keys = {kid: bytes.fromhex(key) for kid, key in document["keys"].items()}
            active = document["active"]
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            # The cause is left out: it may quote the keys.
            raise InvalidKeyring(
                'the key document must be JSON: {"active": id, "keys": {id: hex}}'
            ) from None
        if not isinstance(active, str):
            raise InvalidKeyring("the active key is not among the keys")
        return cls(keys, active)

    def to_json(self) -> str:
        """Write what `from_json` reads; the result is secret."""
        keys = {kid: key.hex() for kid, key in self._keys.items()}
        return json.dumps({"active": self._active, "keys": keys}, indent=2, sort_keys=True)

    def signature(self, kid: str, path: str) -> str:
        """43 characters of URL-safe base64. Raises UnknownKey."""
        try:
            context = self._contexts[kid].copy()
        except KeyError:
            raise UnknownKey("the URL was signed with a key that is not known") from None
        context.update(f"{kid}/{path}".encode())
        encoded = binascii.b2a_base64(context.digest(), newline=False)
        return encoded.rstrip(b"=").translate(_URL_SAFE).decode()


def sign_path(path: ImagePath, keyring: Keyring) -> str:
    """The URL path of a picture, signed with the active key."""
    [signed] = sign_formats(path, (path.extension,), keyring)
    return signed


def sign_formats(path: ImagePath, extensions: Sequence[str], keyring: Keyring) -> list[str]:
    """The same in several formats, in their order; cheaper than one by one.

    Raises InvalidPath for an extension that does not exist.
    """
    if not set(extensions) <= set(EXTENSIONS):
        raise InvalidPath(f"the extension must be one of {', '.join(EXTENSIONS)}")
    stem, _dot, _extension = build_path(path).rpartition(".")
    kid = keyring.active
    texts = [f"{stem}.{extension}" for extension in extensions]
    return [f"/{kid}/{keyring.signature(kid, text)}/{text}" for text in texts]


def verify_url(url_path: str, keyring: Keyring, now: int) -> ImagePath:
    """What a signed URL path asks for, after its signature and its end were checked.

    Raises InvalidPath, UnknownKey, BadSignature, or Expired (previews only).
    """
    match = _URL.fullmatch(url_path) if len(url_path) <= MAX_PATH + 64 else None
    if match is None or not url_path.isascii():
        raise InvalidPath("the address is not /<key>/<signature>/<path>")
    expected = keyring.signature(match["kid"], match["path"])
    if not hmac.compare_digest(expected, match["signature"]):
        raise BadSignature("the signature does not belong to this address")
    path = parse_path(match["path"])
    if path.expires is not None and now >= path.expires:
        raise Expired("this preview address is no longer valid")
    return path
