"""Local servers that give out a delivery folder: HTTP with faults, and object stores."""

from __future__ import annotations

import contextlib
import hashlib
import threading
import time
from collections.abc import Callable, Iterator
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote

#: Whether a request (method, path, headers) comes from somebody who may read.
Proof = Callable[[str, str, Any], bool]


class FolderServer(ThreadingHTTPServer):
    """Gives out `folder` below `prefix` to who has the proof; `fault` is how it misbehaves."""

    daemon_threads = True

    def __init__(self, folder: Path, prefix: str, proof: Proof | None = None) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.folder, self.prefix, self.proof = folder, prefix, proof
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
        self.server.asked.append(f"{self.command} {unquote(self.path)}")
        if fault == "down":
            return self._send(503, b"")
        if fault.startswith("redirect "):
            return self._send(302, b"", Location=fault.partition(" ")[2])
        if fault == "hang":
            time.sleep(3)
            return None
        if fault == "drops":
            return self._drops()
        proof = self.server.proof
        if proof is not None and not proof(self.command, self.path, self.headers):
            return self._send(403, b"<Error><Code>SignatureDoesNotMatch</Code></Error>")
        prefix, path = f"/{self.server.prefix}/", unquote(self.path)
        file = self.server.folder / path.removeprefix(prefix)
        if not path.startswith(prefix) or ".." in path or not file.is_file():
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


@contextlib.contextmanager
def serve(folder: Path, prefix: str, proof: Proof | None = None) -> Iterator[FolderServer]:
    server = FolderServer(folder, prefix, proof)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
