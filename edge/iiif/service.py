"""Answers to IIIF addresses, from the raw address to the headers.

    /iiif/3/<asset>                                            leads to info.json
    /iiif/3/<asset>/info.json
    /iiif/3/<asset>/<region>/<size>/<rotation>/<quality>.<format>
    /iiif/3/<asset>/<region>/<size>/<rotation>/<quality>.<format>.c2pa/<pair>

Viewers build these addresses themselves, so they carry no signature: the grant of the asset
must allow them. What may be shown is decided as for every other address; no other picture
stands in, because its pixels lie elsewhere.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from edge import sidecars
from edge.cache import Picture
from edge.config import EdgeConfig
from edge.exceptions import BadRequest, NotDeliverable
from edge.grants import GrantBook
from edge.iiif.geometry import Bounds, apply, canonical
from edge.iiif.information import PROFILE, encoded, information, media_type
from edge.iiif.production import Job, Workshop
from edge.iiif.syntax import parse
from edge.iiif.tiles import is_listed
from edge.pictures import DETAILS
from edge.responses import (
    SAFETY,
    Lifetime,
    Response,
    etag,
    picture_headers,
    timing_header,
)
from imagepipe.grants import Decision, Grant, GrantedVersion, decide
from imagepipe.urlspec import MIME_TYPES
from imagepipe.urlspec.iiif import IIIF_PREFIX, image_service

#: An address of a viewer does not name the version, so browsers ask again soon: tiles of two
#: versions must not lie beside each other. Shared caches are told when the picture changes.
BROWSER_AGE: Final = 300

_ASSET = re.compile(r"[0-9a-f]{32}")
_PROFILE_LINK: Final = f'<{PROFILE}>;rel="profile"'


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who asks: the public address of the edge as they see it, their own, accept, market."""

    base: str
    address: str
    accept: str = ""
    market: str | None = None


@dataclass(frozen=True, slots=True)
class _Shown:
    """A picture that may be shown to this visitor now."""

    grant: Grant
    version: GrantedVersion
    lifetime: Lifetime
    service: str


class ImageService:
    """Answers image and information requests."""

    def __init__(
        self,
        config: EdgeConfig,
        book: GrantBook,
        workshop: Workshop,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._config, self._book, self._workshop = config, book, workshop
        self._clock = clock
        self._bounds = Bounds(config.iiif_max_side, config.iiif_max_area, config.iiif_upscale)

    @staticmethod
    def knows(path: str) -> bool:
        """Whether the path is one that is answered here."""
        return path.startswith(f"{IIIF_PREFIX}/")

    def whole(self, path: str, visitor: Visitor) -> Response:
        """The whole answer, without its length. Raises Refusal."""
        asset, _slash, rest = path[len(IIIF_PREFIX) + 1 :].partition("/")
        shown = self._shown(asset, visitor)
        if not rest:
            return _redirect(f"{shown.service}/info.json", shown.lifetime)
        if rest == "info.json":
            return self._information(shown, visitor.accept)
        rest, pair = sidecars.split(f"/{rest}")
        parts = rest[1:].split("/")
        if len(parts) != 4:
            raise BadRequest(404, "invalid-address", "the address is not one of an image")
        if pair:
            return self._sidecar(shown, pair)
        return self._image(shown, (parts[0], parts[1], parts[2], parts[3]), visitor)

    def _shown(self, asset: str, visitor: Visitor) -> _Shown:
        if not _ASSET.fullmatch(asset):
            raise _unknown()
        grant = self._book.get(asset)
        if not grant.iiif or not grant.versions:
            raise _unknown()
        current = next(
            (version for version in grant.versions if version.state == "published"),
            grant.versions[0],
        )
        now = int(self._clock())
        decision = self._decide(grant, current, visitor, now)
        is_limited = bool(current.markets)
        lifetime = Lifetime.of(self._config, is_private=is_limited)
        lifetime = replace(
            lifetime, max_age=min(lifetime.max_age, BROWSER_AGE), is_immutable=False
        ).until(decision.not_after, now)
        return _Shown(grant, current, lifetime, visitor.base + image_service(asset))

    def _decide(
        self, grant: Grant, version: GrantedVersion, visitor: Visitor, now: int
    ) -> Decision:
        config = self._config
        decision = decide(
            grant,
            version.sha256[:16],
            now,
            visitor.market,
            config.channel,
            grace=config.grace,
        )
        if not decision.allowed:
            retry = 10 if decision.status == 503 else None
            raise NotDeliverable(
                decision.status, decision.reason, DETAILS[decision.reason], retry_after=retry
            )
        return decision

    def _information(self, shown: _Shown, accept: str) -> Response:
        body = encoded(information(shown.service, shown.version, self._bounds))
        document = Picture.of(body)
        headers = picture_headers(
            document,
            media_type(accept),
            shown.lifetime,
            tags=shown.grant.tags,
            vary="Accept",
            link=_PROFILE_LINK,
        )
        note = _note(shown, "info.json", "json")
        return Response(200, headers, body, "ok", "none", note, etag(document))

    def _image(
        self, shown: _Shown, parts: tuple[str, str, str, str], visitor: Visitor
    ) -> Response:
        started = time.perf_counter()
        grant, version, bounds = shown.grant, shown.version, self._bounds
        request = parse(*parts)
        size = version.width, version.height
        cut = apply(request, *size, bounds)
        is_kept = request.is_plain and is_listed(cut, *size, bounds)
        job = Job(grant.asset, version, request, cut, is_kept)
        picture, origin, stages = self._workshop.get(job, visitor.address)
        # Making it took time, in which it may have been withdrawn.
        shown = self._shown(grant.asset, visitor)
        if shown.version.sha256 != version.sha256:
            raise NotDeliverable(503, "changed", DETAILS["changed"], retry_after=1)
        stages["total"] = time.perf_counter() - started
        spelt = canonical(request, cut, *size, bounds)
        address = f"{shown.service}/{spelt}".replace("^", "%5E")
        links = [f'<{address}>;rel="canonical"', _PROFILE_LINK]
        if picture.pair:
            links.append(sidecars.link(parts[-1], picture.pair))
        headers = picture_headers(
            picture,
            MIME_TYPES[request.extension],
            shown.lifetime,
            tags=shown.grant.tags,
            timing=timing_header(origin, stages),
            link=", ".join(links),
        )
        note = _note(shown, spelt, request.extension)
        return Response(200, headers, picture.body, "ok", origin, note, etag(picture))

    def _sidecar(self, shown: _Shown, pair: str) -> Response:
        sidecar = self._workshop.sidecar(shown.grant.asset, shown.version, pair)
        headers = picture_headers(
            sidecar,
            sidecars.MIME,
            shown.lifetime,
            tags=shown.grant.tags,
            timing=timing_header("disk", {}),
        )
        note = _note(shown, "sidecar", sidecars.FORMAT)
        return Response(200, headers, sidecar.body, "ok", "disk", note, etag(sidecar))


def _unknown() -> BadRequest:
    """Nobody learns here which pictures exist that are not open to viewers."""
    return BadRequest(404, "unknown-asset", "there is no such picture")


def _redirect(address: str, lifetime: Lifetime) -> Response:
    headers = [
        ("Location", address),
        ("Content-Length", "0"),
        ("Cache-Control", str(lifetime)),
        *SAFETY,
    ]
    return Response(303, headers)


def _note(shown: _Shown, asked: str, extension: str) -> dict[str, str]:
    return {
        "asset": shown.grant.asset,
        "version": shown.version.sha256[:16],
        "transform": f"iiif {asked}",
        "format": extension,
    }
