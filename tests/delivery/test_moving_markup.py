"""Pages offer an animation in formats that move."""

from __future__ import annotations

import io
from typing import Any

from PIL import Image

from imagepipe.assets.actions import IngestVersion
from imagepipe.assets.inspection import inspect_picture
from imagepipe.assets.models import Asset, AssetVersion
from imagepipe.delivery.actions import PublishVersion
from imagepipe.delivery.markup import picture_html, preload_html
from imagepipe.delivery.presentation import Presentation
from imagepipe.delivery.presets import get_preset
from imagepipe.delivery.reconcile import reconcile_now
from imagepipe.review.actions import ApproveVersion
from tests.delivery.library import Library


def gif(count: int) -> bytes:
    first, *rest = (Image.new("RGB", (400, 300), (n * 80, 40, 90)) for n in range(count))
    file = io.BytesIO()
    first.save(file, "GIF", save_all=True, append_images=rest)
    return file.getvalue()


def published(library: Library, count: int) -> Asset:
    asset, content = library.asset(), gif(count)
    version: AssetVersion = library.do(
        IngestVersion(
            asset,
            None,
            content=content,
            facts=inspect_picture(content),
            origin="uploaded",
        )
    )
    assert version.frames == count
    library.do(ApproveVersion(version, None))
    library.do(PublishVersion(version, None))
    reconcile_now()
    return asset


def html_of(library: Library, asset: Asset, write: Any = picture_html) -> str:
    document = library.publication(asset).document
    return str(write(document, Presentation(get_preset("content"), "")))


def test_an_animation_is_webp_or_gif(library: Library) -> None:
    asset = published(library, 3)

    html = html_of(library, asset)

    assert 'type="image/webp"' in html and "harbour.gif" in html
    assert "avif" not in html and ".jpg" not in html
    assert 'type="image/webp"' in html_of(library, asset, preload_html)
    assert (library.delivery / "credentials").exists()  # a GIF has a parent credential, too


def test_a_gif_that_does_not_move_is_like_every_picture(library: Library) -> None:
    html = html_of(library, published(library, 1))

    assert 'type="image/avif"' in html and "harbour.jpg" in html and ".gif" not in html
