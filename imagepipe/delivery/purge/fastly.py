"""Fastly: surrogate keys by ``POST /service/<id>/purge``, everything by ``…/purge_all``."""

from __future__ import annotations

import json

from imagepipe.delivery.purge.http import send
from imagepipe.delivery.purge.target import Options, Purge

MOST_KEYS = 256  # a call
API = "https://api.fastly.com"


class FastlyTarget:
    """``service`` id and ``token`` (or ``token_file``). ``soft`` only marks as stale."""

    def __init__(self, options: Options) -> None:
        api = options.text("api", API).rstrip("/")
        self._url = f"{api}/service/{options.text('service')}"
        self._headers = {
            "Fastly-Key": options.text("token"),
            "Accept": "application/json",
            "Content-Type": "application/json",
        }
        if options.text("soft", "no") == "yes":
            self._headers["Fastly-Soft-Purge"] = "1"

    def purge(self, order: Purge) -> None:
        if order.everything:
            send("POST", f"{self._url}/purge_all", headers=self._headers)
            return
        keys = order.all_tags
        for start in range(0, len(keys), MOST_KEYS):
            body = json.dumps({"surrogate_keys": list(keys[start : start + MOST_KEYS])})
            send("POST", f"{self._url}/purge", body.encode(), self._headers)
