"""Why an address is answered as it is: decision, crop, format, quality; nothing is made."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from edge.cache import Picture
from edge.encode import DEFAULT_QUALITY
from edge.exceptions import Refusal
from edge.negotiation import choose, read_hints
from edge.pictures import PictureHandler
from edge.production import Job, Producer
from edge.scene import scene_of
from edge.visitors import Visitors
from imagepipe.grants import GrantedVersion
from imagepipe.urlspec import ImagePath, format_transform, plan

#: How the box of a C2PA manifest store begins, in every format.
_MANIFEST_STORE = b"jumdc2pa"


class Explainer:
    """Explains signed addresses to operators."""

    def __init__(
        self, handler: PictureHandler, producer: Producer, visitors: Visitors
    ) -> None:
        self._handler, self._producer, self._visitors = handler, producer, visitors

    def explain(self, address: str, environ: Mapping[str, Any]) -> dict[str, object]:
        """What would be done for a request with these headers. Raises Refusal (bad address)."""
        now = int(time.time())
        path = self._handler.verify(address, now)
        told: dict[str, object] = {
            "asset": path.asset,
            "version": path.version,
            "transform": format_transform(path.transform),
            "preview_until": path.expires,
        }
        market = self._visitors.market(environ)
        try:
            grant, decision, stands_in = self._handler.decide(path, market, now)
        except Refusal as refusal:
            return told | {
                "status": refusal.status,
                "reason": refusal.reason,
                "detail": refusal.detail,
            }
        told |= {
            "status": 200,
            "reason": "fallback" if stands_in else decision.reason,
            "market": market,
            "shown_asset": grant.asset,
            "grant_sequence": grant.sequence,
            "grant_valid_until": grant.valid_until,
            "not_after": decision.not_after,
            "tags": list(grant.tags),
            "cache_control": str(self._handler.lifetime(path, decision, now)),
        }
        version = decision.version
        if version is None:
            return told
        return told | self._picture(path, version, grant.asset, environ, stands_in)

    def _picture(
        self,
        path: ImagePath,
        version: GrantedVersion,
        asset: str,
        environ: Mapping[str, Any],
        stands_in: bool,
    ) -> dict[str, object]:
        accept = str(environ.get("HTTP_ACCEPT", ""))
        has_alpha = self._producer.has_alpha(version)
        choice = choose(
            path,
            accept,
            read_hints(environ),
            lambda: has_alpha,
            lambda transform, extension: self._producer.moves(version, transform, extension),
        )
        transform, extension = choice.transform, choice.extension
        if stands_in:
            transform = self._handler.instead(path, transform)
        why = "the address names it"
        if path.extension == "auto":
            why = f"the best that Accept allows: {accept or 'anything'}"
        todo = plan(version.width, version.height, transform, scene_of(version))
        job = Job(asset, version, transform, extension, choice.moves)
        origin, picture = self._producer.where(job)
        return {
            "master": {
                "sha256": version.sha256,
                "mime": version.mime,
                "width": version.width,
                "height": version.height,
                "focal": version.focal,
                "faces": version.faces,
                "subject": version.subject,
                "has_alpha": has_alpha,
            },
            "plan": asdict(todo),
            "crop_box": todo.crop_box._asdict() if todo.is_cropped else None,
            "format": extension,
            "why_this_format": why,
            "resolved_transform": format_transform(transform),
            "quality": transform.quality or DEFAULT_QUALITY,
            "moves": choice.moves,
            "cached": origin,
            "credential": None if picture is None else _credential(picture),
        }


def _credential(picture: Picture) -> dict[str, object]:
    """Where the credential of a finished picture is."""
    told: dict[str, object] = {"place": "none", "picture_bytes": len(picture.body)}
    if picture.sidecar:
        told |= {"place": "sidecar", "pair": picture.pair, "bytes": len(picture.sidecar)}
    elif _MANIFEST_STORE in picture.body:
        told["place"] = "embedded"
    return told
