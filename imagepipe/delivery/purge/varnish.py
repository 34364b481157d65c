"""Varnish, and other proxies that take PURGE: by xkey, or by BAN on the surrogate key."""

from __future__ import annotations

import re

from django.core.exceptions import ImproperlyConfigured

from imagepipe.delivery.purge.http import send
from imagepipe.delivery.purge.target import Options, Purge

#: Tags hold letters, digits and . _ : / - only, so that they need no quoting in an expression.
_SAFE = re.compile(r"[A-Za-z0-9._:/-]+")


class VarnishTarget:
    """``url`` of the proxy, ``mode`` ``xkey`` (``xkey-purge`` header, vmod xkey) or ``ban``.

    ``ban`` sends the regular expression for ``Surrogate-Key`` in ``X-Ban-Surrogate-Key``. The
    Host header is ``site`` where the proxy needs it; ``token`` goes in ``X-Purge-Token``.
    """

    def __init__(self, options: Options) -> None:
        self._url = options.text("url").rstrip("/") + "/"
        self._site = options.text("site", "")
        self._mode = options.text("mode", "xkey")
        self._token = options.text("token", "")
        if self._mode not in ("xkey", "ban"):
            raise ImproperlyConfigured("purge target varnish: mode is xkey or ban")

    def purge(self, order: Purge) -> None:
        tags = [tag for tag in order.all_tags if _SAFE.fullmatch(tag)]
        if order.everything:
            self._send("BAN", {"X-Ban-Surrogate-Key": "."})
        elif tags and self._mode == "xkey":
            self._send("PURGE", {"xkey-purge": " ".join(tags)})
        elif tags:
            joined = "|".join(re.escape(tag) for tag in tags)
            self._send("BAN", {"X-Ban-Surrogate-Key": rf"(^|\s)({joined})(\s|$)"})

    def _send(self, method: str, headers: dict[str, str]) -> None:
        if self._token:
            headers["X-Purge-Token"] = self._token
        send(method, self._url, headers=headers, host=self._site)
