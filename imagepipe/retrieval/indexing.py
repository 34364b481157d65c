"""Looking at accepted and published pictures once, so that they can be found by meaning."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.db.models import QuerySet
from PIL import Image, ImageOps

from imagepipe.assets import masters
from imagepipe.assets.models import AssetVersion
from imagepipe.retrieval.clip import chosen_clip, picture_vector
from imagepipe.retrieval.models import PictureVector
from imagepipe.workflow import source_pictures
from imagepipe.workflow.exceptions import LostWork, StorageDown
from imagepipe.workflow.guide_models import Guide

logger = logging.getLogger("imagepipe.retrieval")
FINDABLE = (AssetVersion.State.APPROVED, AssetVersion.State.PUBLISHED)
BATCH = 16
"""Pictures that a worker looks at before it goes on with its runs."""


def index_pending(limit: int = BATCH) -> int:
    """Look at the newest pictures that were not looked at; returns how many.

    What cannot be read is remembered with an empty vector and not tried again.
    """
    versions = AssetVersion.objects.filter(state__in=FINDABLE)
    return _index(versions, lambda version: open_picture(masters.read(version.sha256)), limit)


def index_guides(limit: int = BATCH) -> int:
    """As :func:`index_pending`, for control pictures and what masks have marked."""
    return _index(Guide.objects.select_related("run").defer("run__graph"), see_guide, limit)


def _index(rows: QuerySet[Any], see: Callable[[Any], Image.Image], limit: int) -> int:
    model = chosen_clip()
    if model is None:
        return 0
    known = PictureVector.objects.filter(model_sha256=model.sha256).values("sha256")
    waiting = rows.exclude(sha256__in=known).order_by("-pk")[:limit]
    pending = {row.sha256: row for row in waiting}
    folder = Path(model.location)
    for sha256, row in pending.items():
        picture = _seen(see, row)
        try:
            vector = picture_vector(picture, folder) if picture else b""
        except (ImportError, OSError):
            logger.warning("the model %s cannot be used here", model.slug)
            return 0
        PictureVector.objects.get_or_create(
            sha256=sha256, model_sha256=model.sha256, defaults={"vector": vector}
        )
    return len(pending)


def _seen(see: Callable[[Any], Image.Image], row: Any) -> Image.Image | None:
    try:
        return see(row)
    except StorageDown:
        raise
    except (
        OSError, ValueError, SyntaxError, LookupError, Image.DecompressionBombError, LostWork,
    ):  # fmt: skip
        logger.warning("a picture cannot be read", extra={"sha256": row.sha256})
        return None


def see_guide(guide: Guide) -> Image.Image:
    """A control picture itself; of a mask, the marked part of its picture and a bit around.

    Raises ``OSError`` or ``LostWork`` where the bytes are damaged or gone.
    """
    if guide.kind != Guide.Kind.MASK:
        return open_picture(source_pictures.read(guide.sha256))
    picture = open_picture(
        source_pictures.read(guide.run.request["edit"]["source"]["sha256"]), None
    )
    with Image.open(io.BytesIO(source_pictures.read(guide.sha256))) as image:
        mask = image.convert("L").resize(picture.size)
    left, top, right, bottom = mask.getbbox() or (0, 0, *mask.size)
    across, down = (right - left) // 4, (bottom - top) // 4
    return picture.crop(
        (
            max(0, left - across),
            max(0, top - down),
            min(picture.width, right + across),
            min(picture.height, bottom + down),
        )
    )


def open_picture(content: bytes, side: int | None = 512) -> Image.Image:
    """The picture upright; where its decoder can, not much larger than ``side``."""
    with Image.open(io.BytesIO(content)) as image:
        if side:
            image.draft("RGB", (side, side))
        return ImageOps.exif_transpose(image).convert("RGB")
