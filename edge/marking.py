"""What a delivered picture says about itself: XMP always, content credentials if possible.

A credential has 8 KB or more. In a large picture it is embedded; a small one would be twice as
heavy, so it gets its credential as a sidecar, which only those fetch who check it. So does one
whose history is long: every edit of a master adds a signed manifest of 5 KB.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections import OrderedDict
from functools import lru_cache

from edge.cache import Picture
from edge.metrics import Metrics
from edge.sources import Source
from imagepipe.credentials import (
    CredentialsError,
    CredentialSigner,
    PictureMetadata,
    PreparedParent,
    SigningIdentity,
    build_xmp,
)
from imagepipe.grants import GrantedVersion
from imagepipe.grants.documents import canonical_json
from imagepipe.urlspec import MIME_TYPES, Plan

logger = logging.getLogger("edge.marking")

_MOST_PARENTS = 256
#: A prepared parent has at most so many bytes more than the credentials made with it.
_ARCHIVE = 1_000


class Marker:
    """Marks the pictures of one process. Without an identity it writes XMP only."""

    def __init__(
        self,
        source: Source,
        identity: SigningIdentity | None,
        metrics: Metrics,
        embed_from: int,
        embed_most: int = 2**53,
        metadata: str = "rights",
    ) -> None:
        self._source = source
        self._embed_from, self._embed_most = embed_from, embed_most
        self._metrics, self._policy = metrics, metadata
        self._signer = None if identity is None else CredentialSigner(identity)
        certificates = b"" if identity is None else identity.certificates_pem
        self._identity_digest = hashlib.sha256(certificates).hexdigest()
        self._parents: OrderedDict[str, PreparedParent] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def placing(self) -> tuple[int, int]:
        """What decides whether a credential lies inside: part of every cache key."""
        return self._embed_from, self._embed_most

    def digest(self, version: GrantedVersion) -> str:
        """Changes whenever the marking of this version would."""
        marking = canonical_json([version.source_type, dict(version.credit), self._policy])
        return hashlib.sha256(marking + self._identity_digest.encode()).hexdigest()

    def packet(self, version: GrantedVersion) -> bytes:
        """The XMP packet of a version, as much as the policy allows."""
        credit = tuple(sorted(version.credit.items()))
        return _packet(version.source_type, credit, self._policy == "marking")

    @property
    def keeps_all(self) -> bool:
        """Whether what the camera wrote stays in the picture."""
        return self._policy == "all"

    def sign(
        self,
        body: bytes,
        extension: str,
        version: GrantedVersion,
        master: bytes,
        actions: tuple[str, ...],
        *,
        beside: bool = True,
    ) -> Picture:
        """The picture with the edge's credential, inside or beside, chained to its master's.

        Where it may not lie `beside`, it is inside, however small the picture is.
        A picture that cannot be signed is delivered with its XMP marking, logged and counted.
        """
        signer = self._signer
        if signer is None:
            self._metrics.signatures.labels("off").inc()
            return Picture.of(body)
        try:
            parent = self._parent(signer, version, master)
            embeds = not beside or (
                len(body) >= self._embed_from
                and len(parent.archive) <= self._embed_most + _ARCHIVE
            )
            mime, title = MIME_TYPES[extension], self._title(version) or "picture"
            sign = signer.sign_rendition if embeds else signer.sign_rendition_beside
            signed = sign(body, mime, parent, actions, title=title)
            if embeds and beside and len(signed) - len(body) > self._embed_most:
                embeds = False
                signed = signer.sign_rendition_beside(body, mime, parent, actions, title=title)
        except (CredentialsError, OSError) as error:
            logger.error("not signed: master %s: %s", version.sha256[:16], error)
            self._metrics.signatures.labels("failed").inc()
            return Picture.of(body)
        self._metrics.signatures.labels("embedded" if embeds else "sidecar").inc()
        added = len(signed) - len(body) if embeds else len(signed)
        self._metrics.credential_bytes.labels("embedded" if embeds else "sidecar").inc(added)
        return Picture.of(signed) if embeds else Picture.of(body, signed)

    def _title(self, version: GrantedVersion) -> str:
        return "" if self._policy == "marking" else version.credit.get("title", "")

    def _parent(
        self, signer: CredentialSigner, version: GrantedVersion, master: bytes
    ) -> PreparedParent:
        """The prepared parent that was published or, where there is none, one made here."""
        with self._lock:
            parent = self._parents.get(version.sha256)
        if parent is not None:
            return parent
        stored = self._source.parent(version)
        if stored is None:
            parent = signer.prepare_parent(master, version.mime)
        else:
            parent = PreparedParent.from_bytes(stored)
        with self._lock:
            self._parents[version.sha256] = parent
            while len(self._parents) > _MOST_PARENTS:
                self._parents.popitem(last=False)
        return parent


@lru_cache(maxsize=256)
def _packet(source_type: str, credit: tuple[tuple[str, str], ...], is_least: bool) -> bytes:
    metadata = PictureMetadata.from_credit(dict(credit), source_type)
    return build_xmp(metadata.marking() if is_least else metadata)


def actions_of(
    todo: Plan, source: tuple[int, int], mime: str, delivered: str
) -> tuple[str, ...]:
    """The C2PA actions that a rendition stands for, in the order they were done."""
    actions = []
    if todo.is_cropped:
        actions.append("c2pa.cropped")
    if (todo.scale_width, todo.scale_height) != source:
        actions.append("c2pa.resized")
    if todo.is_padded:
        actions.append("c2pa.edited")
    if mime != delivered or not actions:
        actions.append("c2pa.transcoded")
    return tuple(actions)
