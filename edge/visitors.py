"""What a trusted proxy tells of the visitor who asks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edge.config import EdgeConfig


class Visitors:
    """Reads market and address from the headers that the settings name."""

    def __init__(self, config: EdgeConfig) -> None:
        self._test_market = config.test_market or None
        self._market_key = wsgi_name(config.market_header)
        self._client_key = wsgi_name(config.client_header)

    def market(self, environ: Mapping[str, Any]) -> str | None:
        """The market, or None where nobody tells it; a market to test with counts first."""
        if self._test_market or not self._market_key:
            return self._test_market
        return environ.get(self._market_key)

    def address(self, environ: Mapping[str, Any]) -> str:
        """Empty where no header is trusted: the connection may be a proxy's."""
        return str(environ.get(self._client_key, ""))[:200] if self._client_key else ""


def wsgi_name(header: str) -> str:
    """The name of a request header in WSGI; empty for none."""
    return f"HTTP_{header.upper().replace('-', '_')}" if header else ""
