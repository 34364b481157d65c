"""What a page must say about its picture before it is published."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from wagtail.images import get_image_model

from imagepipe.assets.models import Asset
from imagepipe.delivery.profiles import ImageProfile
from imagepipe.delivery.requirements import missing_requirements
from imagepipe.delivery.uses import ImageUse


def missing_for_use(image_id: Any, use: ImageUse, profile: ImageProfile) -> dict[str, str]:
    """Stable code → what to do: ``alt``, ``rights``, ``consent``, ``runtime``.

    Empty when this image may be used so. Two to four queries.
    """
    missing: dict[str, str] = {}
    asset = Asset.objects.filter(image_id=image_id).first()
    if profile.alt_required and not (use.decorative or (use.alt_text or "").strip()):
        if not _has_own_alt(image_id, asset):
            missing["alt"] = _(
                "Write an alternative text for this picture, or mark it as decorative."
            )
    if profile.rights_required:
        missing |= _rights(asset)
    return missing


def _has_own_alt(image_id: Any, asset: Asset | None) -> bool:
    if asset is not None:
        if any(text.strip() for text in asset.alt_texts().values()):
            return True
        if asset.decorative:
            return True
    descriptions = get_image_model()._base_manager.filter(pk=image_id)
    return any(text.strip() for text in descriptions.values_list("description", flat=True))


def _rights(asset: Asset | None) -> dict[str, str]:
    if asset is None:
        return {
            "rights": _(
                "The rights of this picture are not known: record them on its asset page, "
                "or choose another picture."
            )
        }
    found = missing_requirements(asset, decorative=True)
    messages = {
        "rights": _(
            "Licence or rights holder of this picture is not recorded: add it on the "
            "asset page, or choose another picture."
        ),
        "consent": _(
            "The consent of the persons in this picture is missing: record it on the asset "
            "page, or choose another picture."
        ),
        "runtime": _(
            "The rights of this picture have ended: extend them on the asset page, or choose "
            "another picture."
        ),
    }
    return {code: messages.get(code, sentence) for code, sentence in found.items()}
