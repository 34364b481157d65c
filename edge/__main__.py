"""`python -m edge`: check the configuration, then serve until SIGTERM or SIGINT."""

from __future__ import annotations

import sys

from granian import Granian
from granian.constants import Interfaces

from edge.config import Config, InvalidConfiguration
from imagepipe.credentials import CredentialsError, SigningIdentity
from imagepipe.grants import InvalidKeyFile, load_public_keys
from imagepipe.urlspec import InvalidKeyring, Keyring


def main() -> int:
    try:
        config = Config.from_environment()
        Keyring.from_json(config.url_keys.read_bytes())
        load_public_keys(config.grant_keys)
        if config.identity is not None:
            SigningIdentity.load(config.identity)
        config.cache.mkdir(parents=True, exist_ok=True)
    except (
        InvalidConfiguration,
        InvalidKeyring,
        InvalidKeyFile,
        CredentialsError,
        OSError,
    ) as error:
        sys.stderr.write(f"The edge cannot start: {error}\n")
        return 2
    Granian(
        "edge.app:create_application",
        factory=True,
        address=config.host,
        port=config.port,
        interface=Interfaces.WSGI,
        workers=config.workers,
        blocking_threads=config.threads,
        websockets=False,
        respawn_failed_workers=True,
        workers_kill_timeout=10,
    ).serve()
    return 0


if __name__ == "__main__":
    sys.exit(main())
