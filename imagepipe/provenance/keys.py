"""The key folder: what signs addresses, grants and pictures on this installation.

Below ``IMAGEPIPE["KEYS"]``::

    url-keys.json      keyring of the delivery addresses (secret; web, worker and edge)
    grant-key.pem      Ed25519 key that signs grants and the feed (secret; worker)
    grant-keys.json    its public half (edge)
    credentials/       root.pem, cms/ and edge/ signing identities for content credentials

The development identities are trusted by nobody but those who are given ``root.pem``.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from imagepipe.conf import get_settings
from imagepipe.grants import (
    create_key_files,
    key_id_of,
    load_public_keys,
    load_signing_key,
)
from imagepipe.urlspec import Keyring


@dataclass(frozen=True)
class KeyFolder:
    """Names of the files in a key folder."""

    path: Path

    @property
    def url_keys(self) -> Path:
        return self.path / "url-keys.json"

    @property
    def grant_key(self) -> Path:
        return self.path / "grant-key.pem"

    @property
    def grant_keys(self) -> Path:
        return self.path / "grant-keys.json"

    @property
    def credentials(self) -> Path:
        return self.path / "credentials"

    @property
    def root(self) -> Path:
        """The certificate that trusts this installation's content credentials."""
        return self.credentials / "root.pem"

    @property
    def cms_identity(self) -> Path:
        return self.credentials / "cms"

    @property
    def edge_identity(self) -> Path:
        return self.credentials / "edge"

    def secrets(self) -> tuple[Path, ...]:
        """The files that nobody else may read."""
        return (
            self.url_keys,
            self.grant_key,
            self.credentials / "root-key.pem",
            self.cms_identity / "key.pem",
            self.edge_identity / "key.pem",
        )


def key_folder() -> KeyFolder:
    return KeyFolder(get_settings().KEYS)


def create_keys(folder: KeyFolder | None = None) -> tuple[Path, ...]:
    """Make what is missing, keep what is there; return the files that were made."""
    from imagepipe.credentials import create_development_identities

    folder = folder or key_folder()
    folder.path.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _locked(folder.path):
        before = _present(folder)
        _create_private(folder.url_keys, Keyring.generate().to_json().encode())
        create_key_files(folder.grant_key, folder.grant_keys)
        create_development_identities(folder.credentials)
        return tuple(sorted(_present(folder) - before))


def load_keyring() -> Keyring:
    """The keyring of the delivery addresses, read again when its file changes."""
    path = _url_keys(get_settings().KEYS)
    return _keyring(path, _stamp(path))


@dataclass(frozen=True)
class GrantSigner:
    """The key that signs grants and feeds, and the id under which edges know it."""

    key: Ed25519PrivateKey
    key_id: str


def load_grant_signer() -> GrantSigner:
    folder = key_folder()
    return _grant_signer(
        folder.grant_key, folder.grant_keys, _stamp(folder.grant_key), _stamp(folder.grant_keys)
    )


def load_grant_public_keys() -> dict[str, Ed25519PublicKey]:
    return load_public_keys(key_folder().grant_keys)


@lru_cache(maxsize=8)
def _url_keys(folder: Path) -> Path:
    """Joining paths costs more than all the rest, and pages ask once for each picture."""
    return KeyFolder(folder).url_keys


@lru_cache(maxsize=8)
def _keyring(path: Path, stamp: int) -> Keyring:
    return Keyring.from_json(path.read_bytes())


@lru_cache(maxsize=8)
def _grant_signer(key: Path, keys: Path, key_stamp: int, keys_stamp: int) -> GrantSigner:
    private = load_signing_key(key)
    return GrantSigner(private, key_id_of(private, load_public_keys(keys)))


def _stamp(path: Path) -> int:
    return path.stat().st_mtime_ns


def _present(folder: KeyFolder) -> set[Path]:
    return {path for path in folder.path.rglob("*") if path.suffix in {".pem", ".json"}}


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """One process at a time: web and worker may both start on an empty folder."""
    with (folder / ".lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _create_private(path: Path, content: bytes) -> None:
    """Write with mode 0600 unless the file exists; whole or not at all."""
    if path.exists():
        return
    handle, temporary = tempfile.mkstemp(dir=path.parent)  # mode 0600
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    os.replace(temporary, path)
