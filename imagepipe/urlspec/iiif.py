"""Where the IIIF Image API 3 of an asset is found at an edge."""

from __future__ import annotations

from typing import Final

IIIF_PREFIX: Final = "/iiif/3"


def image_service(asset: str) -> str:
    """The path of an asset's image service; `/info.json` behind it tells viewers the rest.

    `asset` is the asset's uid, 32 hex digits.
    """
    return f"{IIIF_PREFIX}/{asset}"
