"""Pictures that come in through Wagtail: versioned first, shown only when they may be."""

from __future__ import annotations

import hashlib
import logging
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
from imagepipe.delivery.models import Publication
from imagepipe.delivery.placeholder import placeholder
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
    image.file = ContentFile(content, name=f"{token}-not-available.png")
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
    with image.file.storage.open(name) as file:
        content = file.read()
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


def stay_live(image: Any, version: AssetVersion, old_name: str) -> None:
    """Without approval a replacement is shown at once, also by the edge if it knew the old."""
    asset = version.asset
    if asset.published_version_id is not None:
        said = Publication.objects.filter(asset=asset).values_list("document", flat=True)
        decorative = any(document.get("decorative") for document in said)
        try:
            PublishVersion(version, None, decorative=decorative).execute()
        except MissingRequirement as error:
            logger.warning("replacement not delivered: %s", error)

    def forget_old() -> None:
        media.purge_renditions(image)
        if old_name != image.file.name:
            media.delete_original(asset, old_name)

    transaction.on_commit(forget_old, robust=True)


def notice(image: Any) -> AssetVersion | None:
    """Version a file that other code has put into the place of a managed picture."""
    asset, name = asset_of(image), image.file.name
    if asset is None or not name or _is_known(asset, image, name):
        return None
    try:
        with image.file.storage.open(name) as file:
            content = file.read()
        if asset.versions.filter(sha256=hashlib.sha256(content).hexdigest()).exists():
            return None
        version = ingest_replacement(
            image, None, content, name, old_name=name, origin=Origin.NOTICED
        )
    except (UnusablePicture, OSError) as error:
        logger.warning("changed file of image %s not versioned: %s", image.pk, error)
        return None
    if approval_required():
        uid = asset.uid
        transaction.on_commit(lambda: images.project_quietly(uid), robust=True)
    return version


def _is_known(asset: Asset, image: Any, name: str) -> bool:
    if images.shows_placeholder(asset, image):
        return True
    return any(
        name == version.file_name or images.media_token(asset, version.sha256) in name
        for version in asset.versions.all()
    )
