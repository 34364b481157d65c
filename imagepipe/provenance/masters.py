"""Content credentials of masters.

Generated pictures are sealed before they become a version: XMP with the digital source type,
then a C2PA manifest that says they were created here. Uploaded pictures are kept exactly as
they came; a sealed copy (:func:`seal_uploaded`) is made when they are published, as the
parent from which the edge's renditions are derived.

Without the ``provenance`` extra nothing is signed; a system check says so.
"""

from __future__ import annotations

import importlib.util
import logging
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imagepipe.assets.exceptions import UnusablePicture
from imagepipe.assets.inspection import inspect_picture
from imagepipe.conf import get_settings
from imagepipe.provenance.keys import key_folder

if TYPE_CHECKING:
    from imagepipe.credentials import CredentialSigner, PreparedParent

logger = logging.getLogger("imagepipe.provenance")

PNG = "image/png"


def can_sign() -> bool:
    """Whether the library for content credentials is installed."""
    return importlib.util.find_spec("c2pa") is not None


def seal_generated(
    png: bytes,
    *,
    title: str,
    recipe_sha256: str,
    model_name: str,
    generator: str,
    source_type: str = "",
    parent: bytes | None = None,
) -> bytes:
    """The picture with its marking: XMP, and C2PA where it can be signed.

    Pixels stay as they are. ``generator`` names the software, ``model_name`` the weights.
    ``source_type``: digital source type, by default that of a wholly generated picture.
    ``parent``: file of the picture that it was made from; its credential is carried on.
    """
    from imagepipe.credentials import (
        GENERATIVE,
        PictureMetadata,
        SourceType,
        build_xmp,
        write_xmp,
    )

    source_type = source_type or SourceType.TRAINED_ALGORITHMIC_MEDIA.value
    creator = get_settings().CREATOR
    metadata = PictureMetadata(
        title=title,
        creator=creator,
        credit=creator,
        source_type=source_type,
        ai_system=generator if source_type in GENERATIVE else "",
        no_training=True,
    )
    marked = write_xmp(png, PNG, build_xmp(metadata))
    if not can_sign():
        return marked
    facts: dict[str, Any] = {
        "title": title,
        "generator": generator,
        "model": model_name,
        "recipe_sha256": recipe_sha256,
        "source_type": source_type,
    }
    prepared = _prepare(parent) if parent is not None else None
    if prepared is None:
        return cms_signer().sign_created(marked, PNG, **facts)
    return cms_signer().sign_edited(marked, PNG, prepared, **facts)


def _prepare(parent: bytes) -> PreparedParent | None:
    """The parent's credential; None for a file that cannot carry one, or a broken one."""
    from imagepipe.credentials.exceptions import CredentialsError

    try:
        mime = inspect_picture(parent, max_bytes=len(parent)).mime
        return cms_signer().prepare_parent(parent, mime)
    except (CredentialsError, UnusablePicture) as error:
        logger.warning("the parent of a picture is not named: %s", error)
        return None


def seal_uploaded(data: bytes, mime: str, *, title: str, source_type: str) -> bytes:
    """A signed copy that says where the picture came from; as it is, if signed already."""
    if not can_sign():
        return data
    from imagepipe.credentials import verify

    report = verify(data, mime, key_folder().root.read_bytes())
    if report.state in ("trusted", "valid"):
        return data
    return cms_signer().sign_opened(data, mime, title=title, source_type=source_type)


def cms_signer() -> CredentialSigner:
    """The signer of this installation; one per process."""
    folder = key_folder().cms_identity
    return _signer(folder, (folder / "chain.pem").stat().st_mtime_ns)


@lru_cache(maxsize=2)
def _signer(folder: Path, stamp: int) -> CredentialSigner:
    from imagepipe.credentials import CredentialSigner, SigningIdentity

    return CredentialSigner(SigningIdentity.load(folder))
