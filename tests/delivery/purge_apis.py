"""Local servers that speak the purge APIs as their owners document them, and refuse the rest.

Each one keeps a set of cached tags; a purge is understood when the right tags go.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import json
import re
import threading
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from imagepipe.grants.orders import PurgeOrder, is_ordered

TOKEN = "the-secret-token"
SECRET = "the secret of the edge"
KEY_ID, SECRET_KEY = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"


class Api(ThreadingHTTPServer):
    """A server with `kind`'s API; `broken` makes it answer that status."""

    daemon_threads = True

    def __init__(self, kind: str) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.kind = kind
        self.cached: set[str] = set()
        self.requests: list[tuple[str, str, bytes]] = []
        self.broken = 0
        self.hang = threading.Event()
        self.hang.set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Api

    def log_message(self, *args: Any) -> None:
        pass

    def _handle(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.requests.append((self.command, self.path, body))
        self.server.hang.wait(20)
        if self.server.broken:
            return self._answer(self.server.broken, b'{"detail": "try later"}')
        status, answer = getattr(self, f"_{self.server.kind}")(body)
        self._answer(status, answer)

    do_POST = do_PURGE = do_BAN = do_GET = _handle

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _forget(self, tags: list[str]) -> None:
        self.server.cached -= set(tags)

    def _edge(self, body: bytes) -> tuple[int, bytes]:
        proof = self.headers.get("Authorization", "")
        if not is_ordered(
            SECRET.encode(), self.command, self.path, body, int(time.time()), proof
        ):
            return 401, b"{}"
        order = PurgeOrder.from_json(body)
        self._forget([f"asset-{asset}" for asset in order.assets] + list(order.tags))
        if order.everything:
            self.server.cached.clear()
        return 200, b'{"status": "purged"}'

    def _cloudflare(self, body: bytes) -> tuple[int, bytes]:
        if self.path != "/client/v4/zones/zone1/purge_cache" or self.command != "POST":
            return 404, b'{"success": false}'
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            return 403, b'{"success": false, "errors": [{"code": 10000}]}'
        document = json.loads(body)
        if set(document) == {"tags"} and 0 < len(document["tags"]) <= 30:
            self._forget(document["tags"])
        elif document == {"purge_everything": True}:
            self.server.cached.clear()
        else:
            return 400, b'{"success": false}'
        return 200, b'{"success": true, "errors": [], "messages": [], "result": {"id": "x"}}'

    def _fastly(self, body: bytes) -> tuple[int, bytes]:
        if self.headers.get("Fastly-Key") != TOKEN:
            return 401, b'{"msg": "Provided credentials are missing or invalid"}'
        if self.path == "/service/svc1/purge_all":
            self.server.cached.clear()
            return 200, b'{"status": "ok"}'
        keys = json.loads(body)["surrogate_keys"]
        if self.path != "/service/svc1/purge" or not 0 < len(keys) <= 256:
            return 400, b"{}"
        self._forget(keys)
        return 200, json.dumps(dict.fromkeys(keys, "1-2-3")).encode()

    def _cloudfront(self, body: bytes) -> tuple[int, bytes]:
        if self.path != "/2020-05-31/distribution/DIST1/invalidation":
            return 404, b""
        if not aws_signature_is_right(self.command, self.path, self.headers, body):
            return 403, b"<ErrorResponse><Code>SignatureDoesNotMatch</Code></ErrorResponse>"
        space = "{http://cloudfront.amazonaws.com/doc/2020-05-31/}"
        root = ET.fromstring(body)  # noqa: S314 our own
        paths = [item.text or "" for item in root.iter(f"{space}Path")]
        quantity = root.find(f"{space}Paths/{space}Quantity")
        reference = root.find(f"{space}CallerReference")
        if quantity is None or quantity.text != str(len(paths)) or reference is None:
            return 400, b""
        if "/*" in paths:
            self.server.cached.clear()
        return 201, b"<Invalidation><Status>InProgress</Status></Invalidation>"

    def _akamai(self, body: bytes) -> tuple[int, bytes]:
        match = re.fullmatch(r"/ccu/v3/delete/(tag|cpcode)/production", self.path)
        if match is None or not edgegrid_is_right(self.command, self.path, self.headers, body):
            return 401, b'{"title": "Not authorized"}'
        objects = json.loads(body)["objects"]
        if match[1] == "tag":
            self._forget(objects)
        elif objects == [12345]:
            self.server.cached.clear()
        return 201, b'{"httpStatus": 201, "estimatedSeconds": 5, "purgeId": "x"}'

    def _varnish(self, body: bytes) -> tuple[int, bytes]:
        if (
            self.headers.get("X-Purge-Token") != TOKEN
            or self.headers["Host"] != "pictures.test"
        ):
            return 405, b""
        if self.command == "PURGE":
            self._forget(self.headers["xkey-purge"].split())
            return 200, b""
        pattern = re.compile(self.headers["X-Ban-Surrogate-Key"])
        self._forget([tag for tag in self.server.cached if pattern.search(tag)])
        return 200, b""


def aws_signature_is_right(method: str, path: str, headers: Any, body: bytes) -> bool:
    """Signature Version 4, computed anew from the request as it arrived."""
    given = re.fullmatch(
        r"AWS4-HMAC-SHA256 Credential=([^/]+)/([0-9]{8})/([^/]+)/([^/]+)/aws4_request, "
        r"SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})",
        headers.get("Authorization", ""),
    )
    if given is None or given[1] != KEY_ID or "host" not in given[5].split(";"):
        return False
    lines = "".join(f"{n}:{' '.join(headers[n].split())}\n" for n in given[5].split(";"))
    canonical = f"{method}\n{path}\n\n{lines}\n{given[5]}\n{hashlib.sha256(body).hexdigest()}"
    scope = f"{given[2]}/{given[3]}/{given[4]}/aws4_request"
    text = "AWS4-HMAC-SHA256\n{}\n{}\n{}".format(
        headers["X-Amz-Date"], scope, hashlib.sha256(canonical.encode()).hexdigest()
    )
    key = ("AWS4" + SECRET_KEY).encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.compare_digest(hmac.digest(key, text.encode(), "sha256").hex(), given[6])


def edgegrid_is_right(method: str, path: str, headers: Any, body: bytes) -> bool:
    """EG1-HMAC-SHA256, computed anew from the request as it arrived."""
    value = headers.get("Authorization", "")
    unsigned, _, signature = value.partition("signature=")
    given = dict(
        part.split("=", 1) for part in unsigned.partition(" ")[2].rstrip(";").split(";") if part
    )
    if (given.get("client_token"), given.get("access_token")) != ("client", "access"):
        return False

    def mac(key: bytes, text: str) -> bytes:
        return base64.b64encode(hmac.digest(key, text.encode(), "sha256"))

    content = base64.b64encode(hashlib.sha256(body).digest()).decode()
    data = "\t".join([method, "http", headers["Host"], path, "", content, unsigned])
    return mac(mac(SECRET_KEY.encode(), given["timestamp"]), data).decode() == signature


@contextlib.contextmanager
def api(kind: str) -> Iterator[Api]:
    server = Api(kind)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.hang.set()
        server.shutdown()
        server.server_close()


def options_for(server: Api) -> dict[str, Any]:
    """The settings of a target that this server accepts."""
    return {
        "edge": {"url": server.url, "secret": SECRET},
        "cloudflare": {"api": f"{server.url}/client/v4", "zone": "zone1", "token": TOKEN},
        "fastly": {"api": server.url, "service": "svc1", "token": TOKEN},
        "cloudfront": {
            "api": server.url,
            "distribution": "DIST1",
            "access_key": KEY_ID,
            "secret_key": SECRET_KEY,
        },
        "akamai": {
            "host": server.url,
            "client_token": "client",
            "client_secret": SECRET_KEY,
            "access_token": "access",
            "cp_code": "12345",
        },
        "varnish": {"url": server.url, "site": "pictures.test", "token": TOKEN},
    }[server.kind] | {"kind": server.kind}
