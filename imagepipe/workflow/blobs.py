"""Bytes that steps hand to one another, content-addressed in the private storage.

What is read is verified against its name, so a write that was cut off by a crash is noticed
and made again instead of travelling on.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import secrets
from collections.abc import Iterator
from pathlib import Path

from django.core.files.base import ContentFile
from django.core.files.storage import Storage
from django.utils import timezone
from django.utils.translation import gettext as _

from imagepipe.conf import get_settings
from imagepipe.workflow.exceptions import LostWork, StorageDown

CLIENTS = frozenset({"botocore", "boto3", "google", "azure", "requests", "urllib3"})
"""Libraries of storages, whose errors are not ``OSError``."""
PARTIAL = "partial"
"""Folder of files that are being written; what a killed process leaves there is swept away."""
KEPT_SECONDS = 24 * 3600
"""Bytes that nothing names are kept so long, as a step may be about to name them."""
_SHA256 = re.compile(r"[0-9a-f]{64}")


def blob_name(sha256: str) -> str:
    """Name in the private storage, fanned out over 256 folders."""
    if not _SHA256.fullmatch(sha256):
        raise ValueError("not a SHA-256")
    return f"work/{sha256[:2]}/{sha256}"


def preview_name(run_uid: str, index: int) -> str:
    """Name of the latest preview of a candidate in the making; a JPEG."""
    return f"previews/{run_uid}/{index}.jpg"


def store(content: bytes) -> str:
    """Keep ``content`` and return its SHA-256; storing the same bytes again costs nothing."""
    sha256 = hashlib.sha256(content).hexdigest()
    if not exists(sha256, len(content)) or _is_old(blob_name(sha256)):
        replace(blob_name(sha256), content)
    return sha256


def _is_old(name: str) -> bool:
    """Whether the file is about to be old enough to be swept away if nothing names it."""
    with outages():
        modified = get_settings().private_storage.get_modified_time(name)
    return (timezone.now() - modified).total_seconds() > KEPT_SECONDS / 2


def exists(sha256: str, size: int | None = None) -> bool:
    """Whether the bytes are there, with the right size if it is known."""
    storage, name = get_settings().private_storage, blob_name(sha256)
    with outages():
        return storage.exists(name) and (size is None or storage.size(name) == size)


def read(sha256: str) -> bytes:
    """Return the bytes. Raises :class:`LostWork` when they are gone or damaged."""
    try:
        with outages(), get_settings().private_storage.open(blob_name(sha256), "rb") as file:
            content = file.read()
    except FileNotFoundError:
        raise LostWork(_("A picture of this run is missing from the storage.")) from None
    if hashlib.sha256(content).hexdigest() != sha256:
        raise LostWork(_("A picture of this run is damaged in the storage."))
    return content


def replace(name: str, content: bytes) -> None:
    """Write a file so that readers see the old or the new bytes, never a part."""
    with outages(FileNotFoundError):
        _replace(get_settings().private_storage, name, content)


@contextlib.contextmanager
def outages(*more: type[OSError]) -> Iterator[None]:
    """Raise ``StorageDown`` for what a storage raises when it cannot be reached or is full.

    A missing file is none, unless ``FileNotFoundError`` is named.
    """
    try:
        yield
    except Exception as error:
        client = type(error).__module__.partition(".")[0]
        missing = isinstance(error, FileNotFoundError) and not isinstance(error, more)
        if (isinstance(error, OSError) or client in CLIENTS) and not missing:
            raise StorageDown(_("The storage of pictures does not answer.")) from error
        raise


def _replace(storage: Storage, name: str, content: bytes) -> None:
    path = _local_path(storage, name)
    if path is None:
        storage.delete(name)
        storage.save(name, ContentFile(content))
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(storage.path(PARTIAL)) / f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}"
    partial.parent.mkdir(exist_ok=True)
    try:
        partial.write_bytes(content)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _local_path(storage: Storage, name: str) -> Path | None:
    try:
        return Path(storage.path(name))
    except NotImplementedError:
        return None
