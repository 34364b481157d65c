"""Writing to the delivery storage: whole files only, under exactly the name asked for."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from django.core.files.base import ContentFile
from django.core.files.storage import Storage

from imagepipe.conf import get_settings


def delivery_storage() -> Storage:
    return get_settings().delivery_storage


def put(name: str, content: bytes) -> None:
    """Write or replace a file; a reader sees the old or the new one, never half of one."""
    storage = delivery_storage()
    try:
        path = Path(storage.path(name))
    except NotImplementedError:
        _put_object(storage, name, content)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".writing-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def put_once(name: str, content: bytes) -> None:
    """Write a content-addressed file unless it is there with the same size."""
    storage = delivery_storage()
    if not storage.exists(name) or storage.size(name) != len(content):
        put(name, content)


def get(name: str) -> bytes | None:
    storage = delivery_storage()
    if not storage.exists(name):
        return None
    with storage.open(name) as file:
        return bytes(file.read())


def remove(name: str) -> None:
    delivery_storage().delete(name)


def _put_object(storage: Storage, name: str, content: bytes) -> None:
    """Object stores replace as a whole; some backends choose another name instead."""
    saved = storage.save(name, ContentFile(content))
    if saved != name:
        storage.delete(saved)
        storage.delete(name)
        saved = storage.save(name, ContentFile(content))
    if saved != name:
        storage.delete(saved)
        raise OSError(f"the delivery storage refuses the name {name}")
