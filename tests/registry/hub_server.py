"""A hub on a port of its own: the part of the API that ``huggingface_hub`` asks for."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

COMMIT = "a" * 40


@dataclass
class Hub:
    """``models``: id to files. ``asked``: paths of all requests, in order."""

    url: str = ""
    models: dict[str, dict[str, bytes]] = field(default_factory=dict)
    card_data: dict[str, dict[str, str]] = field(default_factory=dict)
    gated: set[str] = field(default_factory=set)
    short: set[str] = field(default_factory=set)
    """Files of which only the first byte is sent."""
    asked: list[str] = field(default_factory=list)
    hold: threading.Event | None = None
    """Weights are held back until it is set."""


def _answer(hub: Hub, path: str) -> tuple[int, dict[str, str], bytes]:
    parts = unquote(path).lstrip("/").split("/")
    if parts[:2] == ["api", "models"]:
        id, revision = "/".join(parts[2:4]), "/".join(parts[5:]) or "main"
        if id not in hub.models:
            return 404, {"X-Error-Code": "RepoNotFound"}, b"{}"
        if revision not in ("main", "v1", COMMIT):
            return 404, {"X-Error-Code": "RevisionNotFound"}, b"{}"
        siblings = [
            {"rfilename": name, "size": len(content)}
            for name, content in hub.models[id].items()
        ]
        about = {"id": id, "sha": COMMIT, "siblings": siblings, "private": False,
                 "tags": [], "downloads": 0, "likes": 0}  # fmt: skip
        if id in hub.card_data:
            about["cardData"] = hub.card_data[id]
        return 200, {"Content-Type": "application/json"}, json.dumps(about).encode()
    id, commit, name = "/".join(parts[:2]), parts[3], "/".join(parts[4:])
    if id in hub.gated:
        return 403, {"X-Error-Code": "GatedRepo"}, b""
    content = hub.models[id][name]
    if hub.hold is not None and name.endswith(".safetensors"):
        hub.hold.wait(30)
    etag = f'"{hashlib.sha256(content).hexdigest()}"'
    return 200, {"ETag": etag, "X-Repo-Commit": commit}, content


@contextmanager
def running_hub() -> Iterator[Hub]:
    hub = Hub()

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self._send(body=False)

        def do_GET(self) -> None:
            self._send(body=True)

        def _send(self, *, body: bool) -> None:
            path = urlsplit(self.path).path
            hub.asked.append(f"{self.command} {path}")
            status, headers, content = _answer(hub, path)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if body:
                short = any(path.endswith(name) for name in hub.short)
                self.wfile.write(content[:1] if short else content)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        if hub.hold is not None:
            hub.hold.set()
        server.shutdown()
        server.server_close()
        thread.join(5)
