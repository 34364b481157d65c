"""Local servers that give out a delivery folder: HTTP with faults, and the S3 protocol."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import re
import threading
import time
from collections.abc import Iterator
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

KEY_ID, SECRET_KEY = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"


class FolderServer(ThreadingHTTPServer):
    """Gives out `folder` below `prefix`; `fault` chooses how it misbehaves."""

    daemon_threads = True

    def __init__(self, folder: Path, prefix: str, s3: bool = False) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.folder, self.prefix, self.s3 = folder, prefix, s3
        self.fault = ""
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: FolderServer

    def log_message(self, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        fault = self.server.fault
        self.server.asked.append(f"{self.command} {self.path}")
        if fault == "down":
            return self._send(503, b"")
        if fault.startswith("redirect "):
            return self._send(302, b"", Location=fault.partition(" ")[2])
        if fault == "hang":
            time.sleep(3)
            return None
        if fault == "drops":
            return self._drops()
        if self.server.s3 and not s3_signature_is_right(self.command, self.path, self.headers):
            return self._send(403, b"<Error><Code>SignatureDoesNotMatch</Code></Error>")
        prefix = f"/{self.server.prefix}/"
        file = self.server.folder / self.path.removeprefix(prefix)
        if not self.path.startswith(prefix) or ".." in self.path or not file.is_file():
            return self._send(404, b"<Error><Code>NoSuchKey</Code></Error>")
        data = file.read_bytes()
        headers = {
            "ETag": f'"{hashlib.sha256(data).hexdigest()[:32]}"',
            "Last-Modified": formatdate(file.stat().st_mtime, usegmt=True),
        }
        if fault == "endless":
            self.send_response(200)
            self.end_headers()
            with contextlib.suppress(OSError):
                while True:
                    self.wfile.write(b"\0" * 65536)
        if fault == "cut":
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data[: len(data) // 2])
            return None
        if fault == "gzip":
            headers["Content-Encoding"] = "gzip"
        return self._send(200, data, **headers)

    do_HEAD = do_GET

    def _send(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _drops(self) -> None:
        with contextlib.suppress(OSError):
            for character in b"HTTP/1.1 200 OK\r\n" + b"X-Padding: yes\r\n" * 50:
                self.wfile.write(bytes([character]))
                self.wfile.flush()
                time.sleep(0.05)


def s3_signature_is_right(method: str, path: str, headers: Any) -> bool:
    """Signature Version 4 of S3, computed anew from the request as it arrived."""
    given = re.fullmatch(
        r"AWS4-HMAC-SHA256 Credential=([^/]+)/([0-9]{8})/([^/]+)/s3/aws4_request, ?"
        r"SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})",
        headers.get("Authorization", ""),
    )
    if given is None or given[1] != KEY_ID:
        return False
    lines = "".join(f"{n}:{' '.join(headers[n].split())}\n" for n in given[4].split(";"))
    payload = headers["x-amz-content-sha256"]
    path, _, query = path.partition("?")
    canonical = f"{method}\n{path}\n{query}\n{lines}\n{given[4]}\n{payload}"
    scope = f"{given[2]}/{given[3]}/s3/aws4_request"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    text = f"AWS4-HMAC-SHA256\n{headers['x-amz-date']}\n{scope}\n{digest}"
    key = ("AWS4" + SECRET_KEY).encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.compare_digest(hmac.digest(key, text.encode(), "sha256").hex(), given[5])


@contextlib.contextmanager
def serve(folder: Path, prefix: str, s3: bool = False) -> Iterator[FolderServer]:
    server = FolderServer(folder, prefix, s3)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
