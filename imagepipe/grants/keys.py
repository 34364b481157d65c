"""Key files: the publisher's private key (PEM) and the readers' public keys (JSON)."""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,32}")


class InvalidKeyFile(ValueError):
    """A key file is missing, unreadable or not of the expected form."""


def generate_signing_key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.generate()


def save_signing_key(path: Path, key: Ed25519PrivateKey) -> None:
    """Write the private key as unencrypted PKCS#8 PEM that only its owner can read."""
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    _write(path, pem, 0o600)


def load_signing_key(path: Path) -> Ed25519PrivateKey:
    try:
        key = serialization.load_pem_private_key(Path(path).read_bytes(), password=None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm):
        raise InvalidKeyFile(f"{path} is not a readable private key file") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise InvalidKeyFile(f"{path} does not hold an Ed25519 key")
    return key


def save_public_keys(path: Path, keys: Mapping[str, Ed25519PublicKey]) -> None:
    for key_id in keys:
        if not KEY_ID.fullmatch(key_id):
            raise InvalidKeyFile(f"{key_id!r} is not a key id (letters, digits, - and _)")
    encoded = {key_id: key.public_bytes_raw().hex() for key_id, key in keys.items()}
    text = json.dumps({"keys": encoded}, indent=2, sort_keys=True) + "\n"
    _write(path, text.encode("ascii"), 0o644)


def load_public_keys(path: Path) -> dict[str, Ed25519PublicKey]:
    """Public keys by key id from `{"keys": {"g1": "<64 hex digits>"}}`."""
    try:
        data = Path(path).read_bytes()
    except OSError:
        raise InvalidKeyFile(f"{path} cannot be read") from None
    try:
        keys = json.loads(data)["keys"]
        return {
            key_id: Ed25519PublicKey.from_public_bytes(bytes.fromhex(encoded))
            for key_id, encoded in keys.items()
            if KEY_ID.fullmatch(key_id) or _refuse(key_id)
        }
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise InvalidKeyFile(f"{path} does not hold public keys") from None


def key_id_of(key: Ed25519PrivateKey, public_keys: Mapping[str, Ed25519PublicKey]) -> str:
    """The id under which readers know this private key."""
    wanted = key.public_key().public_bytes_raw()
    for key_id, public_key in public_keys.items():
        if public_key.public_bytes_raw() == wanted:
            return key_id
    raise InvalidKeyFile("the signing key is not among the public keys")


def create_key_files(signing_key: Path, public_keys: Path, key_id: str = "g1") -> None:
    """Make both files where the signing key does not exist yet; keep known public keys."""
    if signing_key.exists():
        return
    key = generate_signing_key()
    known = load_public_keys(public_keys) if public_keys.exists() else {}
    if key_id in known:
        raise InvalidKeyFile(f"{public_keys} already has a key {key_id!r}: choose another id")
    save_public_keys(public_keys, {**known, key_id: key.public_key()})
    save_signing_key(signing_key, key)


def _refuse(key_id: str) -> bool:
    raise ValueError(key_id)


def _write(path: Path, data: bytes, mode: int) -> None:
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".key-")  # mode 0600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.chmod(temporary, mode)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
