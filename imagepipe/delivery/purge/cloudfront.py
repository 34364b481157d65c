"""Amazon CloudFront: invalidations of paths, signed with AWS Signature Version 4.

CloudFront knows no tags. An asset's addresses differ in signature and transform, but end alike,
and wildcards count only at the end of a path. Therefore every purge invalidates ``/*``: right,
and cheap for a site that withdraws rarely (a wildcard counts as one path).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import uuid
from urllib.parse import urlsplit

from imagepipe.delivery.purge.http import send
from imagepipe.delivery.purge.target import Options, Purge

API = "https://cloudfront.amazonaws.com"
_DOCUMENT = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<InvalidationBatch xmlns="http://cloudfront.amazonaws.com/doc/2020-05-31/">'
    "<Paths><Quantity>1</Quantity><Items><Path>/*</Path></Items></Paths>"
    "<CallerReference>{reference}</CallerReference></InvalidationBatch>"
)


class CloudFrontTarget:
    """``distribution`` id, ``access_key`` and ``secret_key`` (or ``secret_key_file``)."""

    def __init__(self, options: Options) -> None:
        api = options.text("api", API).rstrip("/")
        distribution = options.text("distribution")
        self._url = f"{api}/2020-05-31/distribution/{distribution}/invalidation"
        self._access_key = options.text("access_key")
        self._secret_key = options.text("secret_key")

    def purge(self, order: Purge) -> None:
        body = _DOCUMENT.format(reference=uuid.uuid4().hex).encode()
        headers = signed_headers(
            "POST", self._url, body, self._access_key, self._secret_key, dt.datetime.now(dt.UTC)
        )
        send("POST", self._url, body, headers)


def signed_headers(
    method: str,
    url: str,
    body: bytes,
    access_key: str,
    secret_key: str,
    now: dt.datetime,
    *,
    region: str = "us-east-1",
    service: str = "cloudfront",
    content_type: str = "application/xml",
) -> dict[str, str]:
    """The headers that AWS wants, with the signature (AWS4-HMAC-SHA256)."""
    parts = urlsplit(url)
    host = parts.netloc
    stamp, day = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d")
    digest = hashlib.sha256(body).hexdigest()
    named = {"content-type": content_type, "host": host, "x-amz-date": stamp}
    names = ";".join(sorted(named))
    lines = "".join(f"{name}:{named[name]}\n" for name in sorted(named))
    request = "\n".join([method, parts.path or "/", parts.query, lines, names, digest])
    scope = f"{day}/{region}/{service}/aws4_request"
    hashed = hashlib.sha256(request.encode()).hexdigest()
    to_sign = "\n".join(["AWS4-HMAC-SHA256", stamp, scope, hashed])
    key = f"AWS4{secret_key}".encode()
    for part in (day, region, service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    signature = hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()
    credential = f"Credential={access_key}/{scope}"
    return {
        "Content-Type": content_type,
        "X-Amz-Date": stamp,
        "Authorization": (
            f"AWS4-HMAC-SHA256 {credential}, SignedHeaders={names}, Signature={signature}"
        ),
    }
