from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache

from imagepipe.assets.models import Asset
from imagepipe.delivery.actions import PublishVersion
from tests.delivery.conftest import library
from tests.delivery.library import Library, png

__all__ = ["library"]

Published = Callable[..., Asset]


@pytest.fixture(autouse=True)
def _cold_cache() -> None:
    cache.clear()


@pytest.fixture
def published(library: Library) -> Published:
    """Make an asset that is published, with a Wagtail image."""

    def make(width: int = 1000, height: int = 600, **fields: Any) -> Asset:
        asset = library.asset(**fields)
        library.do(PublishVersion(library.version(asset, png(width, height)), None))
        asset.refresh_from_db()
        return asset

    return make
