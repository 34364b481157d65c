"""Where an engine is: the one origin that its backend may talk to."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

LONGEST = 500


@dataclass(frozen=True, slots=True)
class Address:
    """Scheme, host, port and the path before all routes, without a slash at its end."""

    scheme: str
    host: str
    port: int
    path: str = ""

    @property
    def origin(self) -> str:
        """What people see: never holds a password, because an address cannot."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"

    @property
    def is_secure(self) -> bool:
        return self.scheme == "https"

    def url(self, route: str) -> str:
        """Return the address of a route such as ``/prompt``."""
        return f"{self.origin}{self.path}{route}"

    def socket_url(self, route: str) -> str:
        """Return the address of a WebSocket route."""
        return "ws" + self.url(route).removeprefix("http")


def parse_address(text: str) -> Address:
    """Return the address. Raises ``ValueError`` with a sentence about what is wrong.

    Only ``http`` and ``https``, no user or password (keys have a field of their own), no
    query, and none of the link-local addresses under which clouds give out credentials.
    """
    if not isinstance(text, str) or not text or len(text) > LONGEST:
        raise ValueError("give the address of the engine, such as http://127.0.0.1:7860")
    if any(character.isspace() or not character.isprintable() for character in text):
        raise ValueError("an address has no spaces")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ValueError("this is not an address") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("an address begins with http:// or https://")
    if parts.username is not None or parts.password is not None:
        raise ValueError("leave user and password out of the address: enter them as the key")
    if parts.query or parts.fragment or "\\" in text:
        raise ValueError("an address has no “?”, “#” or “\\”")
    if _is_link_local(parts.hostname):
        raise ValueError("link-local addresses are not asked")
    default = 443 if parts.scheme == "https" else 80
    return Address(parts.scheme, parts.hostname, port or default, parts.path.rstrip("/"))


def _is_link_local(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host.rstrip(".") in ("metadata.google.internal", "metadata")
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_link_local
