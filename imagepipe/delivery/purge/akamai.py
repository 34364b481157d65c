"""Akamai Fast Purge: ``POST /ccu/v3/<action>/tag/<network>``, signed with EdgeGrid."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import json
import uuid
from urllib.parse import urlsplit

from imagepipe.delivery.purge.http import send
from imagepipe.delivery.purge.target import Options, Purge

MOST_TAGS = 100  # well below Akamai's 50,000 bytes a call
_SIGNED = 131_072  # bytes of the body that are signed


class AkamaiTarget:
    """``host`` of the API client, its ``client_token``, ``client_secret`` and ``access_token``.

    Akamai cannot purge everything by tag: ``cp_code`` is purged for that.
    """

    def __init__(self, options: Options) -> None:
        host = options.text("host")
        self._base = host.rstrip("/") if "://" in host else f"https://{host}"
        self._network = options.text("network", "production")
        self._client_token = options.text("client_token")
        self._client_secret = options.text("client_secret")
        self._access_token = options.text("access_token")
        self._cp_code = options.text("cp_code", "0")

    def purge(self, order: Purge) -> None:
        if order.everything:
            return self._send("cpcode", [int(self._cp_code)])
        tags = order.all_tags
        for start in range(0, len(tags), MOST_TAGS):
            self._send("tag", list(tags[start : start + MOST_TAGS]))

    def _send(self, kind: str, objects: list[str] | list[int]) -> None:
        url = f"{self._base}/ccu/v3/delete/{kind}/{self._network}"
        body = json.dumps({"objects": objects}).encode()
        authorization = edgegrid(
            "POST",
            url,
            body,
            self._client_token,
            self._client_secret,
            self._access_token,
            dt.datetime.now(dt.UTC).strftime("%Y%m%dT%H:%M:%S+0000"),
            str(uuid.uuid4()),
        )
        headers = {"Content-Type": "application/json", "Authorization": authorization}
        send("POST", url, body, headers)


def edgegrid(
    method: str,
    url: str,
    body: bytes,
    client_token: str,
    client_secret: str,
    access_token: str,
    stamp: str,
    nonce: str,
) -> str:
    """The Authorization header (EG1-HMAC-SHA256)."""
    parts = urlsplit(url)
    head = (
        f"EG1-HMAC-SHA256 client_token={client_token};access_token={access_token};"
        f"timestamp={stamp};nonce={nonce};"
    )
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    digest = ""
    if method == "POST" and body:
        digest = base64.b64encode(hashlib.sha256(body[:_SIGNED]).digest()).decode()
    data = "\t".join([method, parts.scheme, parts.netloc, target, "", digest, head])
    key = _mac(client_secret, stamp)
    return f"{head}signature={_mac(key, data)}"


def _mac(key: str, text: str) -> str:
    digest = hmac.new(key.encode(), text.encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()
