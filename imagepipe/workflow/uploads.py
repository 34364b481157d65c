"""Pictures that come in through Wagtail: versioned first, shown only when they may be."""

from __future__ import annotations

import hashlib
import logging
import os.path
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.core.files.base import ContentFile
from django.db import transaction

from imagepipe.assets.actions import IngestVersion, SetAltText
from imagepipe.assets.exceptions import UnusablePicture
from imagepipe.assets.inspection import PictureFacts, inspect_picture
from imagepipe.assets.models import Asset, AssetVersion, Lineage
from imagepipe.audit import trail
from imagepipe.conf import get_settings
from imagepipe.delivery import images, media
from imagepipe.delivery.actions import PublishVersion
from imagepipe.delivery.alternatives import default_codes
from imagepipe.delivery.focal import focal_point
from imagepipe.delivery.placeholder import placeholder, placeholder_name
from imagepipe.events.bus import AssetChanged, emit
from imagepipe.exceptions import MissingRequirement
from imagepipe.review.actions import ApproveVersion

logger = logging.getLogger("imagepipe.uploads")

Origin = AssetVersion.Origin
ALT_TEXT_LENGTH = 250


def approval_required() -> bool:
    return get_settings().APPROVAL != "off"


def inspect_upload(content: bytes) -> PictureFacts:
    """Facts of the bytes under this site's limits. Raises UnusablePicture."""
    limits = get_settings()
    return inspect_picture(
        content, max_bytes=limits.MAX_UPLOAD_BYTES, max_pixels=limits.MAX_PIXELS
    )


def asset_of(image: Any) -> Asset | None:
    return Asset.objects.filter(image_id=image.pk).first() if image.pk else None


def ingest_new(
    image: Any, user: AbstractBaseUser | None, content: bytes, file_name: str
) -> Asset:
    """Version the bytes of an image that is not saved yet; the caller links the two.

    Whoever calls has checked Wagtail's own permission to add images.
    """
    asset = Asset(title=image.title, collection=image.collection)
    IngestVersion(
        asset,
        user,
        content=content,
        facts=inspect_upload(content),
        origin=Origin.UPLOADED,
        file_name=file_name,
    ).execute(skip_permission_checks=True)
    return asset


def show_placeholder(asset: Asset, image: Any) -> None:
    """Put the placeholder in place of an unsaved image's file, so that media never see it.

    The hash stays that of the upload: Wagtail finds duplicates by it.
    """
    version = asset.versions.latest("number")
    token = images.placeholder_token(asset, version.width, version.height)
    content = placeholder(version.width, version.height)
    image.file = ContentFile(content, name=placeholder_name(token))
    image.width, image.height = version.width, version.height
    image.file_size = len(content)


def ingest_replacement(
    image: Any,
    user: AbstractBaseUser | None,
    content: bytes,
    file_name: str,
    *,
    old_name: str,
    origin: str = Origin.REPLACED,
) -> AssetVersion:
    """Version new bytes of an image; the old file is adopted first if nobody has kept it."""
    facts = inspect_upload(content)
    with transaction.atomic():
        asset = asset_of(image) or adopt(image, name=old_name)
        previous = asset.latest_version()
        parents = [(previous, Lineage.Relation.REPLACES)] if previous else []
        return IngestVersion(
            asset,
            user,
            content=content,
            facts=facts,
            origin=origin,
            parents=parents,
            file_name=file_name,
        ).execute(skip_permission_checks=True)


def adopt(image: Any, *, name: str | None = None) -> Asset:
    """Take an image that is live already into the library, approved, its file untouched.

    Raises UnusablePicture, and OSError when the file is not there.
    """
    name = name or image.file.name
    content = _read(image, name)
    facts = inspect_upload(content)
    with transaction.atomic():
        asset = Asset(title=image.title, collection=image.collection, image=image)
        version = IngestVersion(
            asset, None, content=content, facts=facts, origin=Origin.ADOPTED, file_name=name
        ).execute()
        ApproveVersion(version, None, note="adopted").execute()
        follow_words(asset, image, None)
    return asset


def follow_words(
    asset: Asset, image: Any, user: AbstractBaseUser | None, *, alt: bool = True
) -> None:
    """Carry title, collection and description of the image over to its asset."""
    changes = {
        name: getattr(image, name)
        for name in ("title", "collection_id")
        if getattr(image, name) != getattr(asset, name)
    }
    with transaction.atomic():
        if changes:
            for name, value in changes.items():
                setattr(asset, name, value)
            asset.save(update_fields=list(changes))
            trail.record(asset.uid.hex, "imagepipe.retitle", user, changes)
            emit(AssetChanged(asset.uid.hex))
        texts, codes = asset.alt_texts(), default_codes()
        language = next((code for code in codes if code in texts), codes[0])
        text = str(getattr(image, "description", ""))[:ALT_TEXT_LENGTH].strip()
        if alt and text != texts.get(language, ""):
            action = SetAltText(asset, user, texts={language: text})
            action.execute(skip_permission_checks=True)


def follow_focal_point(image: Any) -> None:
    """Tell the edges of a focal point that was moved on the Wagtail image."""
    asset = (
        Asset.objects.filter(image_id=image.pk, publication__document__published=True)
        .select_related("image", "published_version", "publication")
        .first()
    )
    if asset is None or asset.published_version is None:
        return
    if focal_point(asset, asset.published_version) != asset.publication.document["focal"]:
        emit(AssetChanged(asset.uid.hex))


def stay_live(image: Any, version: AssetVersion, old_name: str) -> None:
    """Without approval a replacement is shown at once, also by the edge if it knew the old."""
    asset = version.asset
    if asset.published_version_id is not None:
        try:
            PublishVersion(version, None).execute()
        except MissingRequirement as error:
            logger.warning("replacement not delivered: %s", error)

    def forget_old() -> None:
        media.purge_renditions(image)
        if old_name != image.file.name:
            media.delete_original(asset, old_name)

    transaction.on_commit(forget_old, robust=True)


def take_over(image: Any) -> Asset | None:
    """Version an image that other code has created; while approval is required, as a draft.

    What cannot be versioned (a drawing, a file that is gone) is left as it is, with a warning.
    """
    name = image.file.name
    if not name or asset_of(image) is not None:
        return None
    try:
        content = _read(image, name)
        facts = inspect_upload(content)
    except (UnusablePicture, OSError) as error:
        logger.warning("new image %s not versioned: %s", image.pk, error)
        return None
    with transaction.atomic():
        asset = Asset(title=image.title, collection=image.collection, image=image)
        IngestVersion(
            asset,
            image.uploaded_by_user,
            content=content,
            facts=facts,
            origin=Origin.UPLOADED,
            file_name=os.path.basename(name),
        ).execute(skip_permission_checks=True)
        follow_words(asset, image, None)
        if approval_required():
            images.project_saved(asset.uid, image)
    return asset


def notice(image: Any) -> AssetVersion | None:
    """Version a file that other code has put into the place of a managed picture.

    While approval is required, the image goes on showing what it may show.
    """
    asset, name = asset_of(image), image.file.name
    if asset is None or not name or images.is_right(asset, image):
        return None
    with transaction.atomic():
        version = _ingest_noticed(asset, image, name)
        if approval_required():
            images.project_saved(asset.uid, image)
    return version


def _ingest_noticed(asset: Asset, image: Any, name: str) -> AssetVersion | None:
    try:
        content = _read(image, name)
        if asset.versions.filter(sha256=hashlib.sha256(content).hexdigest()).exists():
            return None
        return ingest_replacement(
            image, None, content, name, old_name=name, origin=Origin.NOTICED
        )
    except (UnusablePicture, OSError) as error:
        logger.warning("changed file of image %s not versioned: %s", image.pk, error)
        return None


def _read(image: Any, name: str) -> bytes:
    with image.file.storage.open(name) as file:
        return bytes(file.read())
