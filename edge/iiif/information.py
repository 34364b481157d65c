"""The information document of a picture, info.json (section 5)."""

from __future__ import annotations

import json
import re
from typing import Any, Final

from edge.iiif.geometry import Bounds
from edge.iiif.syntax import QUALITIES
from edge.iiif.tiles import TILE, scale_factors, sizes
from imagepipe.grants import GrantedVersion
from imagepipe.urlspec.formats import weigh

CONTEXT: Final = "http://iiif.io/api/image/3/context.json"
PROFILE: Final = "http://iiif.io/api/image/3/level2.json"
JSON: Final = "application/json"
JSON_LD: Final = "application/ld+json"

#: Licences that `rights` may name: they are written with http, whatever a browser shows.
_RIGHTS = re.compile(
    r"https?://(?P<host>creativecommons\.org|rightsstatements\.org)"
    r"/(?P<path>(?:licenses|publicdomain|vocab|page)/[A-Za-z0-9+-]{1,30}/[0-9]\.[0-9])"
    r"(?P<port>/[a-z]{2,3}(?![a-z]))?(?:/.*)?"
)
_WEB = re.compile(r"https?://[!-~]{1,2000}")


def information(service: str, version: GrantedVersion, bounds: Bounds) -> dict[str, Any]:
    """What viewers need to know of a picture; `service` is its base address."""
    width, height = version.width, version.height
    listed = [{"width": w, "height": h} for w, h in sizes(width, height, bounds)]
    document: dict[str, Any] = {
        "@context": CONTEXT,
        "id": service,
        "type": "ImageService3",
        "protocol": "http://iiif.io/api/image",
        "profile": "level2",
        "width": width,
        "height": height,
        "maxWidth": bounds.side,
        "maxArea": bounds.area,
        "sizes": listed,
        "tiles": [{"width": TILE, "scaleFactors": scale_factors(width, height)}],
        "preferredFormats": ["webp", "jpg"],
        "extraFormats": ["webp"],
        "extraQualities": [name for name in QUALITIES if name != "default"],
        "extraFeatures": [
            "canonicalLinkHeader",
            "mirroring",
            "profileLinkHeader",
            *["sizeUpscaling"] * bounds.enlarges,
        ],
    }
    statement = version.credit.get("web_statement", "")
    rights = rights_uri(statement)
    if rights:
        document["rights"] = rights
    elif _WEB.fullmatch(statement):
        document["seeAlso"] = [
            {
                "id": statement,
                "type": "Text",
                "format": "text/html",
                "label": {"en": [version.credit.get("rights", "Licence")]},
            }
        ]
    return document


def rights_uri(statement: str) -> str:
    """The URI of a Creative Commons licence or RightsStatements.org; else empty."""
    match = _RIGHTS.fullmatch(statement)
    if match is None:
        return ""
    path = match["path"].replace("page/", "vocab/", 1)
    return f"http://{match['host']}/{path}{match['port'] or ''}/"


def encoded(document: dict[str, Any]) -> bytes:
    """The bytes of the document."""
    return json.dumps(document, ensure_ascii=False).encode()


def media_type(accept: str) -> str:
    """JSON-LD unless the request would rather have plain JSON, as browsers would."""
    weights = weigh(accept)
    anything = weights.get("application/*", weights.get("*/*", 0.0))
    linked, plain = weights.get(JSON_LD, anything), weights.get(JSON, anything)
    if plain > linked or ("text/html" in weights and JSON_LD not in weights):
        return JSON
    return f'{JSON_LD};profile="{CONTEXT}"'
