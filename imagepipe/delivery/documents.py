"""`Publication.document`: what the picture tag must know, without a query per picture."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.utils.text import slugify

from imagepipe.assets.models import Asset
from imagepipe.delivery.crop_models import crops_of
from imagepipe.delivery.focal import focal_point
from imagepipe.rights.models import RightsRecord
from imagepipe.urlspec import VERSION_DIGITS, Scene

WEB = "web"
NEVER = 1
"""An end in 1970: a window that opens never."""


def build_document(asset: Asset) -> dict[str, Any]:
    """Describe what is published of the asset; times are Unix seconds.

    With nothing published, only the fallback and the fact itself are told.
    """
    rights = rights_of(asset)
    fallback = rights.fallback.uid.hex if rights and rights.fallback else None
    version = asset.published_version
    if version is None:
        return {"published": False, "fallback": fallback, "decorative": asset.decorative}
    return {
        "published": True,
        "asset": asset.uid.hex,
        "version": version.sha256[:VERSION_DIGITS],
        "slug": slug_of(asset),
        "title": asset.title,
        "width": version.width,
        "height": version.height,
        "focal": focal_point(asset, version),
        "crops": {name: list(region) for name, region in crops_of(version).items()},
        "alt": asset.alt_texts(),
        "alt_generated": asset.generated_alt_texts(),
        "decorative": asset.decorative,
        **({"moves": True} if version.frames > 1 else {}),
        "disclosure": version.is_generated,
        **runtime_of(rights),
        "fallback": fallback,
        "rights": terms_of(rights),
        "source_type": version.source_type,
        "recipe": version.recipe_sha256,
    }


def scene_of(document: Mapping[str, Any]) -> Scene:
    """As much of a picture's content as its sizes depend on: the crops."""
    crops = document.get("crops") or {}
    return Scene(crops={name: tuple(box) for name, box in crops.items()})


def terms_of(rights: RightsRecord | None) -> dict[str, str]:
    """Who holds the picture and on which terms; what is not known is left out."""
    if rights is None:
        return {}
    terms = {
        "licence": rights.licence,
        "licence_url": rights.licence_url,
        "acquire_url": rights.acquire_url,
        "holder": rights.rights_holder,
        "credit": rights.credit,
    }
    return {name: text for name, text in terms.items() if text}


def runtime_of(rights: RightsRecord | None) -> dict[str, Any]:
    """When and on which channels it may be shown, as :func:`is_current` reads it."""
    begin, end = window_of(rights)
    return {
        "valid_from": begin,
        "valid_until": end,
        "channels": list(rights.channels) if rights else [],
    }


def window_of(rights: RightsRecord | None) -> tuple[int | None, int | None]:
    """Begin and end in Unix seconds; never, where somebody's consent is missing."""
    if rights is None:
        return None, None
    begin, end = seconds(rights.valid_from), seconds(rights.valid_until)
    if rights.persons == RightsRecord.Persons.MISSING:
        return None, NEVER
    if begin is not None and end is not None and begin >= end:
        return None, NEVER
    return begin, end


def is_current(document: Mapping[str, Any], now: float) -> bool:
    """Whether a page may show it now. Markets are left to the edge, which knows the visitor."""
    if not document.get("published"):
        return False
    begin, end = document["valid_from"], document["valid_until"]
    if (begin is not None and now < begin) or (end is not None and now >= end):
        return False
    return not document["channels"] or WEB in document["channels"]


def rights_of(asset: Asset) -> RightsRecord | None:
    return RightsRecord.objects.select_related("fallback").filter(asset=asset).first()


def slug_of(asset: Asset) -> str:
    """The decoration of addresses: 1 to 80 of a-z, 0-9 and hyphen."""
    text = slugify(asset.slug or asset.title).replace("_", "-")
    return text[:80].strip("-") or "picture"


def seconds(moment: dt.datetime | None) -> int | None:
    return None if moment is None else int(moment.timestamp())
