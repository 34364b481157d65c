"""Keys of engines at rest: AES-256-GCM with a key file that lies outside the database.

``engine-keys.json`` in the folder ``IMAGEPIPE["KEYS"]`` holds ``{"active": id, "keys": {id:
hex}}``. What is sealed is bound to a context; with another context it cannot be opened, so a
sealed key that is copied to another engine or address is of no use there.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import tempfile
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from imagepipe.conf import get_settings
from imagepipe.generation.exceptions import BackendUnavailable

NONCE_BYTES = 12


def key_file() -> Path:
    return get_settings().KEYS / "engine-keys.json"


def seal(text: str, context: str) -> str:
    """Return the sealed text; makes the key file when there is none."""
    path = key_file()
    if not path.exists():
        _write(path, {"active": "e1", "keys": {"e1": secrets.token_hex(32)}}, replace=False)
    data = _read(path)
    active = data["active"]
    nonce = secrets.token_bytes(NONCE_BYTES)
    cipher = AESGCM(bytes.fromhex(data["keys"][active]))
    sealed = nonce + cipher.encrypt(nonce, text.encode(), context.encode())
    return f"{active}.{base64.urlsafe_b64encode(sealed).decode()}"


def unseal(sealed: str, context: str) -> str:
    """Return the text. Raises ``BackendUnavailable`` saying that it must be entered anew."""
    key_id, _dot, body = sealed.partition(".")
    try:
        key = _read(key_file())["keys"][key_id]
        data = base64.urlsafe_b64decode(body)
        opened = AESGCM(bytes.fromhex(key)).decrypt(
            data[:NONCE_BYTES], data[NONCE_BYTES:], context.encode()
        )
    except (OSError, KeyError, ValueError, TypeError, InvalidTag):
        raise BackendUnavailable(
            "The key of the engine cannot be opened with the key file of this installation. "
            "Enter it anew."
        ) from None
    return opened.decode()


def add_key() -> str:
    """Make a new key active, keep the old ones for what is still sealed; return its id."""
    path = key_file()
    data = _read(path) if path.exists() else {"active": "", "keys": {}}
    number = 1
    while f"e{number}" in data["keys"]:
        number += 1
    name = f"e{number}"
    _write(path, {"active": name, "keys": data["keys"] | {name: secrets.token_hex(32)}})
    return name


def drop_old_keys() -> None:
    """Forget all but the active key; whatever is sealed with another is lost."""
    data = _read(key_file())
    active = data["active"]
    _write(key_file(), {"active": active, "keys": {active: data["keys"][active]}})


def _read(path: Path) -> dict[str, Any]:
    return json.loads(path.read_bytes())


def _write(path: Path, data: dict[str, Any], *, replace: bool = True) -> None:
    """With mode 0600, whole or not at all; two processes never make two first keys."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, temporary = tempfile.mkstemp(dir=path.parent)  # mode 0600
    with os.fdopen(handle, "w") as file:
        json.dump(data, file)
    if replace:
        os.replace(temporary, path)
        return
    try:
        os.link(temporary, path)
    except FileExistsError:
        pass
    finally:
        os.unlink(temporary)
