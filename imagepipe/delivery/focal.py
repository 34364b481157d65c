"""The focal point of a picture: what editors set on its Wagtail image, else the version's own.

Points are shares of width and height, 0 to 1.
"""

from __future__ import annotations

from typing import Any

from imagepipe.assets.models import Asset, AssetVersion
from imagepipe.delivery import media
from imagepipe.delivery.placeholder import is_placeholder


def focal_point(asset: Asset, version: AssetVersion) -> list[float] | None:
    if asset.image is not None:
        found = focal_point_on(asset.image, asset, version)
        if found is not None:
            return found
    if version.focal_x is None or version.focal_y is None:
        return None
    return [version.focal_x, version.focal_y]


def focal_point_on(image: Any, asset: Asset, version: AssetVersion) -> list[float] | None:
    """The point set on the image, if it was set on this picture or on its placeholder."""
    if image.focal_point_x is None or image.focal_point_y is None:
        return None
    if (image.width, image.height) != (version.width, version.height):
        return None
    name = image.file.name
    own = media.token(asset, version.sha256) in name or name == version.file_name
    if not (own or is_placeholder(name)):
        return None
    point = image.focal_point_x / image.width, image.focal_point_y / image.height
    return [min(1.0, max(0.0, share)) for share in point]
