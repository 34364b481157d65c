"""Signed addresses at the edge. Deterministic: equal pictures have equal addresses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from imagepipe.conf import get_settings
from imagepipe.provenance.keys import load_keyring
from imagepipe.urlspec import ImagePath, Keyring, Transform, sign_formats

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
    [url] = edge_urls(document, transform, (extension,), keyring=keyring)
    return url


def edge_urls(
    document: Mapping[str, Any],
    transform: Transform,
    extensions: Sequence[Extension],
    *,
    keyring: Keyring | None = None,
) -> list[str]:
    """The same in several formats, in their order."""
    path = ImagePath(
        transform, document["asset"], document["version"], document["slug"], extensions[0]
    )
    base = get_settings().EDGE_URL
    signed = sign_formats(path, extensions, keyring or load_keyring())
    return [base + address for address in signed]
