"""The grant: what an edge may deliver of one asset, to whom and until when."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from imagepipe.grants import fields as f
from imagepipe.grants.exceptions import InvalidDocument
from imagepipe.grants.version import GrantedVersion

FORMAT = 1
MOST_VERSIONS = 200
_SLUG = re.compile(r"[a-z0-9-]{1,80}")

_GRANT_KEYS = (
    "kind",
    "format",
    "asset",
    "sequence",
    "issued_at",
    "valid_until",
    "slug",
    "versions",
    "fallback",
    "tags",
    "disclosure",
)
#: Left out where it is false, and by publishers that are older than the edge.
_LATER_KEYS: dict[str, Any] = {"iiif": False}


@dataclass(frozen=True)
class Grant:
    """The delivery document of one asset.

    sequence rises by at least one with every change. valid_until is the freshness of the
    document itself, not the end of any right. fallback is the uid of the asset to show
    instead. disclosure says that the page must mark the picture as AI-made. iiif opens the
    picture to viewers that ask for any part of it, in any size, without a signature.
    """

    asset: str
    sequence: int
    issued_at: int
    valid_until: int
    slug: str
    versions: tuple[GrantedVersion, ...]
    fallback: str | None = None
    tags: tuple[str, ...] = ()
    disclosure: bool = False
    iiif: bool = False

    def to_dict(self) -> dict[str, Any]:
        """The payload for `seal`. `Grant.from_dict(grant.to_dict()) == grant`."""
        document = {
            "kind": "grant",
            "format": FORMAT,
            "asset": self.asset,
            "sequence": self.sequence,
            "issued_at": self.issued_at,
            "valid_until": self.valid_until,
            "slug": self.slug,
            "versions": [version.to_dict() for version in self.versions],
            "fallback": self.fallback,
            "tags": list(self.tags),
            "disclosure": self.disclosure,
        }
        return document | ({"iiif": True} if self.iiif else {})

    @classmethod
    def from_dict(cls, value: object) -> Grant:
        """Raises InvalidDocument for anything that `to_dict` would not have written."""
        if isinstance(value, dict):
            value = _LATER_KEYS | value
        data = f.require_object(value, "grant", (*_GRANT_KEYS, *_LATER_KEYS))
        if data["kind"] != "grant":
            raise InvalidDocument("the document is not a grant")
        f.require_integer(data["format"], "format", FORMAT, FORMAT)
        versions = f.require_list(data["versions"], "versions", MOST_VERSIONS)
        grant = cls(
            asset=f.require_text(data["asset"], "asset", f.HEX32),
            sequence=f.require_integer(data["sequence"], "sequence"),
            issued_at=f.require_integer(data["issued_at"], "issued_at"),
            valid_until=f.require_integer(data["valid_until"], "valid_until"),
            slug=f.require_text(data["slug"], "slug", _SLUG),
            versions=tuple(GrantedVersion.from_dict(version) for version in versions),
            fallback=f.optional(data["fallback"], "fallback", _asset),
            tags=f.require_texts(data["tags"], "tags", f.TAG, 200),
            disclosure=f.require_bool(data["disclosure"], "disclosure"),
            iiif=f.require_bool(data["iiif"], "iiif"),
        )
        if len({version.sha256 for version in grant.versions}) != len(grant.versions):
            raise InvalidDocument("a version is listed twice")
        return grant


def _asset(value: object, name: str) -> str:
    return f.require_text(value, name, f.HEX32)
