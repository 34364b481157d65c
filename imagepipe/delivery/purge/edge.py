"""Our own edges: one signed order to each of their addresses."""

from __future__ import annotations

import time

from imagepipe.delivery.purge.http import send
from imagepipe.delivery.purge.target import Options, Purge
from imagepipe.grants.orders import MOST_NAMES, PURGE_PATH, PurgeOrder, sign_order


class EdgeTarget:
    """``url`` of the edge itself (not of the CDN before it) and its ``secret_file``."""

    def __init__(self, options: Options) -> None:
        self._url = options.text("url").rstrip("/")
        self._secret = options.text("secret").encode()

    def purge(self, order: Purge) -> None:
        names = order.assets, order.versions, order.tags
        for start in range(0, max(1, *map(len, names)), MOST_NAMES):
            assets, versions, tags = (items[start : start + MOST_NAMES] for items in names)
            body = PurgeOrder(assets, versions, tags, order.everything).to_json()
            proof = sign_order(self._secret, "POST", PURGE_PATH, body, int(time.time()))
            headers = {"Content-Type": "application/json", "Authorization": proof}
            send("POST", self._url + PURGE_PATH, body, headers)
