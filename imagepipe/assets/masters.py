"""Master bytes in the private storage, under their content hash."""

from __future__ import annotations

import hashlib

from django.core.files.base import ContentFile

from imagepipe.assets.models import master_name
from imagepipe.conf import get_settings


def store(content: bytes) -> str:
    """Keep the bytes; return their SHA-256."""
    sha256 = hashlib.sha256(content).hexdigest()
    storage, name = get_settings().private_storage, master_name(sha256)
    if not storage.exists(name):
        storage.save(name, ContentFile(content))
    return sha256


def read(sha256: str) -> bytes:
    """The bytes of a master. Raises FileNotFoundError."""
    with get_settings().private_storage.open(master_name(sha256)) as file:
        return bytes(file.read())
