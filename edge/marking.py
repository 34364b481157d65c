"""What a delivered picture says about itself: XMP always, a content credential if possible."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable
from pathlib import Path

from edge.storage import StorageError
from imagepipe.credentials import (
    CredentialsError,
    CredentialSigner,
    PictureMetadata,
    PreparedParent,
    SigningIdentity,
    build_xmp,
)
from imagepipe.grants import GrantedVersion
from imagepipe.urlspec import Plan

logger = logging.getLogger("edge")


class Marker:
    """Marks renditions; without an identity they carry XMP only."""

    def __init__(self, folder: Path | None) -> None:
        self._signer: CredentialSigner | None = None
        self.name = "xmp"
        if folder is None:
            logger.warning("no signing identity: pictures carry no content credential")
            return
        identity = SigningIdentity.load(folder)
        self._signer = CredentialSigner(identity)
        self.name = hashlib.sha256(identity.certificates_pem).hexdigest()[:16]

    def packet(self, version: GrantedVersion) -> bytes:
        return build_xmp(PictureMetadata.from_credit(version.credit, version.source_type))

    def sign(
        self,
        data: bytes,
        mime: str,
        version: GrantedVersion,
        steps: Plan,
        *,
        parent: Callable[[], bytes | None],
        master: bytes,
    ) -> bytes:
        """The picture with a credential whose parent is the master's.

        Where there is no prepared parent the master itself is read. A master whose own
        credential is broken cannot be a parent: its pictures are delivered unsigned.
        """
        if self._signer is None:
            return data
        title = version.credit.get("title") or "picture"
        try:
            prepared = self._parent(parent, master, version, title)
            actions = _actions(steps, version, mime)
            return self._signer.sign_rendition(data, mime, prepared, actions, title=title)
        except CredentialsError as error:
            logger.warning("a rendition of %s is not signed: %s", version.sha256[:16], error)
            return data

    def _parent(
        self,
        parent: Callable[[], bytes | None],
        master: bytes,
        version: GrantedVersion,
        title: str,
    ) -> PreparedParent:
        if self._signer is None:
            raise CredentialsError("no identity")
        try:
            stored = parent()
            if stored is not None:
                return PreparedParent.from_bytes(stored)
        except (StorageError, CredentialsError) as error:
            logger.warning("parent of %s not usable: %s", version.sha256[:16], error)
        return self._signer.prepare_parent(master, version.mime, title=title)


def marking_digest(version: GrantedVersion) -> str:
    """Changes whenever the XMP packet would."""
    said = json.dumps([dict(version.credit), version.source_type], sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()[:16]


def _actions(steps: Plan, version: GrantedVersion, mime: str) -> tuple[str, ...]:
    actions = []
    if (steps.scale_width, steps.scale_height) != (version.width, version.height):
        actions.append("c2pa.resized")
    if steps.is_cropped:
        actions.append("c2pa.cropped")
    if steps.is_padded:
        actions.append("c2pa.edited")
    if mime != version.mime or not actions:
        actions.append("c2pa.transcoded")
    return tuple(actions)
