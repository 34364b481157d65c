"""Looking at accepted and published pictures once, so that they can be found by meaning."""

from __future__ import annotations

import io
import logging
from pathlib import Path

from PIL import Image, ImageOps

from imagepipe.assets import masters
from imagepipe.assets.models import AssetVersion
from imagepipe.retrieval.clip import chosen_clip, picture_vector
from imagepipe.retrieval.models import PictureVector

logger = logging.getLogger("imagepipe.retrieval")
FINDABLE = (AssetVersion.State.APPROVED, AssetVersion.State.PUBLISHED)
BATCH = 16
"""Pictures that a worker looks at before it goes on with its runs."""


def index_pending(limit: int = BATCH) -> int:
    """Look at the newest pictures that were not looked at; returns how many.

    What cannot be read is remembered with an empty vector and not tried again.
    """
    model = chosen_clip()
    if model is None:
        return 0
    known = PictureVector.objects.filter(model_sha256=model.sha256).values("sha256")
    waiting = AssetVersion.objects.filter(state__in=FINDABLE).exclude(sha256__in=known)
    pending = dict.fromkeys(waiting.order_by("-pk").values_list("sha256", flat=True)[:limit])
    folder = Path(model.location)
    for sha256 in pending:
        picture = _open(sha256)
        try:
            vector = picture_vector(picture, folder) if picture else b""
        except (ImportError, OSError):
            logger.warning("the model %s cannot be used here", model.slug)
            return 0
        PictureVector.objects.get_or_create(
            sha256=sha256, model_sha256=model.sha256, defaults={"vector": vector}
        )
    return len(pending)


def _open(sha256: str) -> Image.Image | None:
    try:
        with Image.open(io.BytesIO(masters.read(sha256))) as image:
            image.draft("RGB", (512, 512))
            return ImageOps.exif_transpose(image).convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        logger.warning("a picture cannot be read", extra={"sha256": sha256})
        return None
