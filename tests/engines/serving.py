"""What the test servers share: real HTTP on a port of its own, and ways to misbehave."""

from __future__ import annotations

import email.parser
import email.policy
import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Asked:
    """One request as it came in."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    def parts(self) -> dict[str, tuple[str, bytes]]:
        """The file name and content of each part of a multipart body."""
        head = f"Content-Type: {self.headers['content-type']}\r\n\r\n".encode()
        parser = email.parser.BytesParser(policy=email.policy.HTTP)
        message = parser.parsebytes(head + self.body)
        return {
            str(part.get_param("name", header="content-disposition")): (
                part.get_filename() or "",
                part.get_payload(decode=True),
            )
            for part in message.iter_parts()
        }


@dataclass(frozen=True)
class Reply:
    """``cut``: so many bytes less are sent than were announced, then the line is dropped."""

    status: int = 200
    body: bytes = b"{}"
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"
    cut: int = 0
    seconds: float = 0.0


def reply(data: Any, status: int = 200) -> Reply:
    return Reply(status, json.dumps(data).encode())


class EngineServer:
    """A server in threads of this process; ``with`` it for its ``address``."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.mishaps: dict[str, list[Reply]] = {}
        self.refused_keys: list[str] = []
        handler = type("Handler", (_Handler,), {"engine": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        serve = self._server.serve_forever
        threading.Thread(target=serve, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def misbehave(self, path: str, *replies: Reply) -> None:
        """Answer the next calls of a path with these, then as usual again."""
        self.mishaps.setdefault(path, []).extend(replies)

    def calls(self, path: str) -> list[Asked]:
        return [asked for asked in self.asked if asked.path == path]

    def answer(self, asked: Asked) -> Reply:
        self.asked.append(asked)
        if waiting := self.mishaps.get(asked.path):
            return waiting.pop(0)
        return self.route(asked)

    def route(self, asked: Asked) -> Reply:
        raise NotImplementedError

    def upgrade(self, connection: Any) -> bool:
        """Take over a new connection that is no HTTP; returns whether it was one."""
        return False


class _Handler(BaseHTTPRequestHandler):
    engine: EngineServer
    protocol_version = "HTTP/1.1"

    def handle(self) -> None:
        if not self.engine.upgrade(self.connection):
            super().handle()

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        parts = urlsplit(self.path)
        length = int(self.headers.get("content-length") or 0)
        asked = Asked(
            self.command,
            parts.path,
            dict(parse_qsl(parts.query)),
            {name.casefold(): value for name, value in self.headers.items()},
            self.rfile.read(length) if length else self._chunks(),
        )
        found = self.engine.answer(asked)
        time.sleep(found.seconds)
        try:
            self.send_response(found.status)
            for name, value in found.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Type", found.content_type)
            self.send_header("Content-Length", str(len(found.body)))
            self.end_headers()
            self.wfile.write(found.body[: len(found.body) - found.cut])
        except (BrokenPipeError, ConnectionResetError):
            pass
        if found.cut:
            self.close_connection = True

    def _chunks(self) -> bytes:
        if self.headers.get("transfer-encoding") != "chunked":
            return b""
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def log_message(self, format: str, *args: Any) -> None:
        pass
