"""Who asks, as far as the request tells."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from edge.config import EdgeConfig
from edge.exceptions import BadRequest
from edge.iiif.service import Visitor
from edge.visitors import wsgi_name

_HOST = re.compile(r"(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?")


class VisitorDesk:
    """Reads the public address and the visitor's from a request, by the settings."""

    def __init__(self, config: EdgeConfig) -> None:
        self._base = config.url
        self._client_key = wsgi_name(config.client_header) or "REMOTE_ADDR"

    def read(self, environ: Mapping[str, Any], market: str | None) -> Visitor:
        """Raises BadRequest (400) for a Host that is none."""
        return Visitor(
            self._base or _base_of(environ),
            str(environ.get(self._client_key, ""))[:200],
            str(environ.get("HTTP_ACCEPT", "")),
            market,
        )


def _base_of(environ: Mapping[str, Any]) -> str:
    host = str(environ.get("HTTP_HOST", ""))
    if not host:
        host = f"{environ.get('SERVER_NAME', '')}:{environ.get('SERVER_PORT', '')}"
    if not _HOST.fullmatch(host):
        raise BadRequest(400, "host", "the request does not say which host it asks")
    scheme = "https" if environ.get("wsgi.url_scheme") == "https" else "http"
    return f"{scheme}://{host}"
