"""Keeping the Wagtail image equal to what may be shown: published pixels or a placeholder.

Files are written and deleted outside transactions. The change of ``image.file`` and the list
of files to delete are one transaction, so a crash leaves either the old state or a job that
the reconciler finishes.
"""

from __future__ import annotations

import hashlib
import logging
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from wagtail.images import get_image_model

from imagepipe.assets import masters
from imagepipe.assets.models import Asset, AssetVersion
from imagepipe.conf import get_settings
from imagepipe.delivery import media
from imagepipe.delivery.alternatives import choose_alt, default_codes
from imagepipe.delivery.documents import slug_of
from imagepipe.delivery.focal import focal_point_on
from imagepipe.delivery.models import Publication
from imagepipe.delivery.placeholder import is_placeholder, placeholder, placeholder_name
from imagepipe.delivery.visibility import visible_version

logger = logging.getLogger("imagepipe.delivery")

FILE_FACTS = ("width", "height", "file_size", "file_hash")
ATTEMPTS = 5
_projecting: ContextVar[bool] = ContextVar("imagepipe_projecting", default=False)


def is_projecting() -> bool:
    """Whether the image is being written by the projection itself, not by other code."""
    return _projecting.get()


@contextmanager
def projecting() -> Iterator[None]:
    """Mark writes to image rows as the projection's own."""
    token = _projecting.set(True)
    try:
        yield
    finally:
        _projecting.reset(token)


def project_quietly(asset_uid: uuid.UUID) -> None:
    """Project now, and leave failures to the reconciler."""
    try:
        project_image(asset_uid)
    except Exception:
        logger.exception("image not projected; the reconciler repeats it")


def project_image(asset_uid: uuid.UUID, *, purge: bool = False) -> None:
    """Make the asset's Wagtail image show what may be shown now; repeatable.

    An asset without an image gets one at its first publication. ``purge`` also removes
    renditions of other files when the file is right already.
    """
    with projecting():
        for _attempt in range(ATTEMPTS):
            if _project_once(_load(asset_uid), purge):
                break
        delete_stale_media(asset_uid)


def _project_once(asset: Asset, purge: bool) -> bool:
    """False when somebody else has changed the image meanwhile."""
    if asset.image is None and asset.published_version is None:
        return True
    wanted = _wanted(asset)
    if asset.image is None:
        return _create(asset, wanted)
    if not _is_right(asset, asset.image, wanted):
        return _replace(asset, asset.image, wanted)
    if purge:
        media.purge_renditions(asset.image, keep=wanted.token)
    return True


def project_saved(asset_uid: uuid.UUID, image: Any) -> None:
    """Correct an image that other code has just saved, in the transaction of that save.

    The object gets the corrected file too, so that saving it again changes nothing. Files go
    when the transaction is committed; until then the outbox row names them.
    """
    asset = _load(asset_uid)
    wanted = _wanted(asset)
    if asset.image is None or _is_right(asset, asset.image, wanted):
        return
    if not _swap(asset, asset.image, wanted):
        return

    def clean_up() -> None:
        media.purge_renditions(asset.image)
        delete_stale_media(asset_uid)

    transaction.on_commit(clean_up, robust=True)
    current = type(image)._default_manager.get(pk=image.pk)
    image.file = current.file.name
    for name in FILE_FACTS:
        setattr(image, name, getattr(current, name))


def is_right(asset: Asset, image: Any) -> bool:
    """Whether the image's file is what may be shown now."""
    return _is_right(asset, image, _wanted(asset))


def shows_placeholder(asset: Asset, image: Any) -> bool:
    """Whether the image's file is this asset's placeholder."""
    return placeholder_token(asset, image.width, image.height) in image.file.name


@dataclass(frozen=True)
class _Wanted:
    token: str
    name: str
    width: int
    height: int
    version: AssetVersion | None

    def content(self) -> bytes:
        if self.version is None:
            return placeholder(self.width, self.height)
        return masters.read(self.version.sha256)


def _wanted(asset: Asset) -> _Wanted:
    version = visible_version(asset)
    if version is not None:
        token = media.token(asset, version.sha256)
        name = f"{token}-{slug_of(asset)[:30]}{media.extension(version.mime)}"
        return _Wanted(token, name, version.width, version.height, version)
    size: Any = asset.published_version or asset.image
    token = placeholder_token(asset, size.width, size.height)
    return _Wanted(token, placeholder_name(token), size.width, size.height, None)


def _is_right(asset: Asset, image: Any, wanted: _Wanted) -> bool:
    """Told by the file's name; a standing picture may keep the name that it came with."""
    name = image.file.name
    if wanted.token in name:
        return True
    if wanted.version is None or asset.published_version_id is not None:
        return False
    if get_settings().APPROVAL == "off":
        return not is_placeholder(name)
    return bool(name == wanted.version.file_name)


def placeholder_token(asset: Asset, width: int, height: int) -> str:
    return media.token(asset, f"placeholder:{width}x{height}")


def _load(asset_uid: uuid.UUID) -> Asset:
    return Asset.objects.select_related("image", "published_version").get(uid=asset_uid)


def _create(asset: Asset, wanted: _Wanted) -> bool:
    model = get_image_model()
    content = wanted.content()
    name = media.write(model(), wanted.name, content)
    alt = choose_alt(asset.alt_texts(), default_codes()[0])
    with transaction.atomic():
        locked = Asset.objects.select_for_update().get(pk=asset.pk)
        if locked.image_id is not None:
            return False
        image = model(
            title=asset.title,
            description=alt[:255],
            collection=asset.collection,
            uploaded_by_user=asset.created_by,
            file=name,
            **_file_facts(wanted, content),
        )
        _set_focal_point(image, asset.published_version)
        image.save()
        locked.image = image
        locked.save(update_fields=["image"])
    return True


def _replace(asset: Asset, image: Any, wanted: _Wanted) -> bool:
    if not _swap(asset, image, wanted):
        return False
    media.purge_renditions(image)  # still with the old hash, under which they are cached
    return True


def _swap(asset: Asset, image: Any, wanted: _Wanted) -> bool:
    """Write the wanted file and point the row to it; note the old one for deletion."""
    content = wanted.content()
    old, name = image.file.name, media.write(image, wanted.name, content)
    changes = {"file": name, **_file_facts(wanted, content)}
    if wanted.version is not None and focal_point_on(image, asset, wanted.version) is None:
        _set_focal_point(image, wanted.version)
        for axis in ("x", "y", "width", "height"):
            changes[f"focal_point_{axis}"] = getattr(image, f"focal_point_{axis}")
    with transaction.atomic():
        Publication.objects.get_or_create(asset=asset)
        publication = Publication.objects.select_for_update().get(asset=asset)
        same = type(image)._default_manager.filter(pk=image.pk, file=old)
        if not same.update(**changes):
            return False
        publication.stale_media = sorted({*publication.stale_media, old} - {name})
        publication.save(update_fields=["stale_media"])
    return True


def delete_stale_media(asset_uid: uuid.UUID) -> None:
    """Delete the files that the image has given up, with their renditions."""
    publication = (
        Publication.objects.select_related("asset__image")
        .filter(asset__uid=asset_uid)
        .exclude(stale_media=[])
        .first()
    )
    if publication is None:
        return
    names = list(publication.stale_media)
    image = publication.asset.image
    if image is not None:
        media.purge_renditions(image)
    for name in names:
        media.delete_original(publication.asset, name)
    with transaction.atomic():
        current = Publication.objects.select_for_update().get(pk=publication.pk)
        current.stale_media = [name for name in current.stale_media if name not in names]
        current.save(update_fields=["stale_media"])


def _file_facts(wanted: _Wanted, content: bytes) -> dict[str, Any]:
    return {
        "width": wanted.width,
        "height": wanted.height,
        "file_size": len(content),
        "file_hash": hashlib.sha1(content, usedforsecurity=False).hexdigest(),
    }


def _set_focal_point(image: Any, version: AssetVersion | None) -> None:
    """Wagtail wants a rectangle in pixels around the point; ours is a tenth of the side."""
    x = y = width = height = None
    if version is not None and version.focal_x is not None and version.focal_y is not None:
        x, y = round(version.focal_x * version.width), round(version.focal_y * version.height)
        width, height = max(1, version.width // 10), max(1, version.height // 10)
    image.focal_point_x, image.focal_point_y = x, y
    image.focal_point_width, image.focal_point_height = width, height
