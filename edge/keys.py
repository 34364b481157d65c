"""The keys of an edge: for addresses, for grants, and its own signing identity."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from edge.config import ConfigError, EdgeConfig, variable
from imagepipe.credentials import CredentialsError, SigningIdentity
from imagepipe.grants import InvalidKeyFile, load_public_keys
from imagepipe.grants.orders import InvalidSecret, load_secret
from imagepipe.urlspec import InvalidKeyring, Keyring

Loaded = TypeVar("Loaded")


@dataclass(frozen=True, slots=True)
class EdgeKeys:
    """Read at the start of a process; SIGHUP starts new ones."""

    urls: Keyring
    grants: Mapping[str, Ed25519PublicKey]
    identity: SigningIdentity | None
    orders: bytes | None = None

    @classmethod
    def load(cls, config: EdgeConfig) -> EdgeKeys:
        """Raises ConfigError naming the variable."""
        grants = _load("grant_keys", lambda: load_public_keys(config.grant_keys))
        if not grants:
            raise ConfigError(f"{variable('grant_keys')}: the file holds no key")
        urls = _load("url_keys", lambda: Keyring.from_json(config.url_keys.read_bytes()))
        folder, identity = config.identity, None
        if folder is not None:
            identity = _load("identity", lambda: SigningIdentity.load(folder))
        secret, orders = config.purge_key, None
        if secret is not None:
            orders = _load("purge_key", lambda: load_secret(secret))
        return cls(urls, grants, identity, orders)


def _load(name: str, read: Callable[[], Loaded]) -> Loaded:
    try:
        return read()
    except (OSError, InvalidKeyring, InvalidKeyFile, InvalidSecret, CredentialsError) as error:
        raise ConfigError(f"{variable(name)}: {error}") from None
