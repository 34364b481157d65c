"""Signed addresses at the edge. Deterministic: equal pictures have equal addresses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from imagepipe.conf import get_settings
from imagepipe.provenance.keys import load_keyring
from imagepipe.urlspec import ImagePath, Keyring, Transform, sign_path

Extension = Literal["auto", "avif", "webp", "jpg", "png", "gif"]


def edge_url(
    document: Mapping[str, Any],
    transform: Transform,
    extension: Extension = "auto",
    *,
    keyring: Keyring | None = None,
) -> str:
    """The public address of one rendition of a published picture.

    ``document`` is `Publication.document`. Pictures that are not published have no address
    at the edge; their previews are served by the CMS to those who may see them.
    """
    path = ImagePath(
        transform, document["asset"], document["version"], document["slug"], extension
    )
    return get_settings().EDGE_URL + sign_path(path, keyring or load_keyring())
