"""Cloudflare: ``POST /zones/<zone>/purge_cache`` with tags (``Cache-Tag``) or everything."""

from __future__ import annotations

import json

from imagepipe.delivery.purge.http import send
from imagepipe.delivery.purge.target import Options, Purge, PurgeFailed

MOST_TAGS = 30  # a call, on every plan
API = "https://api.cloudflare.com/client/v4"


class CloudflareTarget:
    """``zone`` id and ``token`` (or ``token_file``) with the permission Cache Purge."""

    def __init__(self, options: Options) -> None:
        api = options.text("api", API).rstrip("/")
        self._url = f"{api}/zones/{options.text('zone')}/purge_cache"
        self._token = options.text("token")

    def purge(self, order: Purge) -> None:
        if order.everything:
            return self._send({"purge_everything": True})
        tags = order.all_tags
        for start in range(0, len(tags), MOST_TAGS):
            self._send({"tags": list(tags[start : start + MOST_TAGS])})

    def _send(self, document: dict[str, object]) -> None:
        headers = {
            "Authorization": f"Bearer {self._token}",
            "Content-Type": "application/json",
        }
        answer = send("POST", self._url, json.dumps(document).encode(), headers)
        try:
            succeeded = json.loads(answer)["success"] is True
        except (ValueError, KeyError, TypeError):
            succeeded = False
        if not succeeded:
            raise PurgeFailed(f"Cloudflare refused: {answer[:200].decode('utf-8', 'replace')}")
