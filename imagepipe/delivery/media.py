"""Files in the public media storage: Wagtail's originals and renditions."""

from __future__ import annotations

import hashlib
import logging
from pathlib import PurePosixPath
from typing import Any

from django.core.files.base import ContentFile
from django.utils.crypto import salted_hmac
from wagtail.images import get_image_model

from imagepipe.assets import masters
from imagepipe.assets.models import Asset, AssetVersion
from imagepipe.delivery.placeholder import is_placeholder
from imagepipe.urlspec import FORMATS

logger = logging.getLogger("imagepipe.delivery")

TOKEN_LENGTH = 20
_EXTENSIONS = {item.mime: f".{item.extension}" for item in FORMATS.values()}


def token(asset: Asset, what: str) -> str:
    """Part of the file name that cannot be guessed, and tells what the file shows."""
    digest = salted_hmac("imagepipe.media", f"{asset.uid.hex}:{what}", algorithm="sha256")
    return digest.hexdigest()[:TOKEN_LENGTH]


def extension(mime: str) -> str:
    """File extension with its dot."""
    return _EXTENSIONS.get(mime, "." + mime.partition("/")[2].partition("+")[0])


def write(image: Any, file_name: str, content: bytes) -> str:
    """Store an original under the image model's own folder; return its name in the storage.

    A whole file that is there already is used again, a broken one (a crash) is replaced.
    """
    storage = image.file.storage
    name = image.get_upload_to(file_name)
    if storage.exists(name):
        if storage.size(name) == len(content):
            return name
        storage.delete(name)
    return storage.save(name, ContentFile(content))


def purge_renditions(image: Any, *, keep: str = "") -> None:
    """Remove the renditions of an image: cache entries, rows and files.

    Wagtail names a rendition after the file that it was made from: those made from the file
    whose token is ``keep`` stay.
    """
    for rendition in list(image.renditions.all()):
        rendition.image = image  # its hash is part of the cache key
        storage, name = rendition.file.storage, rendition.file.name
        if keep and PurePosixPath(name).name.startswith(keep):
            continue
        rendition.purge_from_cache()
        rendition.delete()
        storage.delete(name)


def delete_original(asset: Asset, name: str) -> None:
    """Delete a media file that no image uses, after making sure that its bytes are kept."""
    model = get_image_model()
    storage = model._meta.get_field("file").storage
    if model._default_manager.filter(file=name).exists() or not storage.exists(name):
        return
    with storage.open(name) as file:
        content = file.read()
    sha256 = hashlib.sha256(content).hexdigest()
    if not (is_placeholder(name) or AssetVersion.objects.filter(sha256=sha256).exists()):
        masters.store(content)
        logger.warning(
            "unversioned picture kept in the private storage", extra={"sha256": sha256}
        )
    storage.delete(name)
