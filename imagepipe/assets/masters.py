"""Master bytes in the private storage, under their content hash."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage

from imagepipe.assets.models import master_name
from imagepipe.conf import get_settings


def store(content: bytes) -> str:
    """Keep the bytes; return their SHA-256.

    Writing the same bytes twice has no effect. A crash never leaves a partial master under
    its final name; a damaged one that was left by other means is replaced.
    """
    sha256 = hashlib.sha256(content).hexdigest()
    storage, name = get_settings().private_storage, master_name(sha256)
    if storage.exists(name) and storage.size(name) == len(content):
        return sha256
    if isinstance(storage, FileSystemStorage):
        _write_atomically(Path(storage.path(name)), content)
    else:  # object stores make an object visible only once it is complete
        storage.save(name, ContentFile(content))
    return sha256


def read(sha256: str) -> bytes:
    """The bytes of a master. Raises FileNotFoundError."""
    with get_settings().private_storage.open(master_name(sha256)) as file:
        return bytes(file.read())


def _write_atomically(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".incoming-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
