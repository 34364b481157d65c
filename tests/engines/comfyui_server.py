"""A server that speaks as ComfyUI does: a queue, a WebSocket per client, a history."""

from __future__ import annotations

import contextlib
import json
import queue
import socket
import struct
import threading
import time
import uuid
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

from PIL import Image
from websockets.exceptions import WebSocketException
from websockets.server import ServerProtocol
from websockets.sync.server import ServerConnection

from tests.engines.comfyui_nodes import NODES, Interrupted, evaluate
from tests.engines.painting import encode
from tests.engines.serving import Asked, EngineServer, Reply, reply

SAMPLERS = ("euler", "dpmpp_2m")


class ComfyUIServer(EngineServer):
    """``honours_ids``: older servers give every job an id of their own."""

    def __init__(self, seconds_per_step: float = 0.002, honours_ids: bool = True) -> None:
        super().__init__()
        self.seconds_per_step = seconds_per_step
        self.honours_ids = honours_ids
        self.sockets: dict[str, ServerConnection] = {}
        self.sockets_made = 0
        self.refuses_sockets = False
        self.drop_after: int | None = None
        self.files: dict[str, bytes] = {}
        self.history: dict[str, Any] = {}
        self.forgotten: list[str] = []
        self.pending: list[tuple[int, str, dict[str, Any], str]] = []
        self.running: tuple[int, str, dict[str, Any], str] | None = None
        self.interrupted = threading.Event()
        self.interrupts: list[Any] = []
        self._wake: queue.Queue[None] = queue.Queue()
        threading.Thread(target=self._execute_all, daemon=True).start()

    def upgrade(self, connection: socket.socket) -> bool:
        if not connection.recv(8, socket.MSG_PEEK).startswith(b"GET /ws"):
            return False
        if self.refuses_sockets:
            connection.close()
            return True
        host: Any = SimpleNamespace(socket_closed=threading.Event())
        ws = ServerConnection(connection, ServerProtocol(), host)
        ws.handshake(timeout=5)
        client = parse_qs(urlsplit(ws.request.path).query)["clientId"][0]
        self.sockets[client] = ws
        self.sockets_made += 1
        self._send(client, "status", {"status": {"exec_info": {"queue_remaining": 0}}})
        try:
            for _message in ws:
                pass
        except WebSocketException:
            pass
        return True

    def route(self, asked: Asked) -> Reply:
        name = asked.path.strip("/").replace("/", "_").casefold()
        if name.startswith("history"):
            return self._history(asked)
        handler = getattr(self, f"on_{name}", None)
        return handler(asked) if handler else Reply(404, b"404: Not Found", {}, "text/plain")

    def on_object_info_ksampler(self, asked: Asked) -> Reply:
        required = {"sampler_name": [list(SAMPLERS), {}]}
        return reply({"KSampler": {"input": {"required": required}}})

    def on_system_stats(self, asked: Asked) -> Reply:
        system = {"comfyui_version": "0.9.2", "pytorch_version": "2.13.0"}
        return reply({"system": system, "devices": [{"name": "cuda:0 Test", "type": "cuda"}]})

    def on_upload_image(self, asked: Asked) -> Reply:
        name, content = asked.parts()["image"]
        self.files[name] = content
        return reply({"name": name, "subfolder": "", "type": "input"})

    def on_view(self, asked: Asked) -> Reply:
        content = self.files.get(asked.query.get("filename", ""))
        if content is None:
            return Reply(404, b"", {}, "text/plain")
        return Reply(body=content, content_type="image/png")

    def on_prompt(self, asked: Asked) -> Reply:
        body = asked.json()
        for node, facts in body["prompt"].items():
            if facts["class_type"] not in NODES:
                kind = facts["class_type"]
                message = f"Cannot execute because node {kind} does not exist."
                error = {"type": "invalid_prompt", "message": message,
                         "details": f"Node ID '#{node}'", "extra_info": {}}  # fmt: skip
                return reply({"error": error, "node_errors": {}}, 400)
        given = body.get("prompt_id") if self.honours_ids else None
        job = (len(self.asked), given or str(uuid.uuid4()), body["prompt"], body["client_id"])
        self.pending.append(job)
        self._wake.put(None)
        return reply({"prompt_id": job[1], "number": job[0], "node_errors": {}})

    def on_queue(self, asked: Asked) -> Reply:
        if asked.method == "POST":
            gone = asked.json().get("delete", [])
            self.pending = [job for job in self.pending if job[1] not in gone]
            return Reply(body=b"", content_type="text/plain")
        running = [[*self.running[:3], {}, []]] if self.running else []
        pending = [[*job[:3], {}, []] for job in self.pending]
        return reply({"queue_running": running, "queue_pending": pending})

    def on_interrupt(self, asked: Asked) -> Reply:
        wanted = asked.json().get("prompt_id")
        self.interrupts.append(wanted)
        if self.running and wanted in (None, self.running[1]):
            self.interrupted.set()
        return Reply(body=b"", content_type="text/plain")

    def restart(self) -> None:
        """The queue and the history are only in memory."""
        self.pending.clear()
        self.interrupted.set()
        self.history.clear()
        self.drop_sockets()

    def drop_sockets(self) -> None:
        for ws in list(self.sockets.values()):
            with contextlib.suppress(OSError):  # it may be closed already
                ws.socket.shutdown(socket.SHUT_RDWR)
        self.sockets.clear()

    def _history(self, asked: Asked) -> Reply:
        if asked.method == "POST":
            for job in asked.json().get("delete", []):
                self.forgotten.append(job)
                self.history.pop(job, None)
            return Reply(body=b"", content_type="text/plain")
        job = asked.path.rpartition("/")[2]
        return reply({job: self.history[job]} if job in self.history else {})

    def _execute_all(self) -> None:
        while True:
            self._wake.get()
            if self.pending:
                self.running = self.pending.pop(0)
                self.interrupted.clear()
                self._execute(*self.running)

    def _execute(self, number: int, job: str, graph: dict[str, Any], client: str) -> None:
        self._send(client, "execution_start", {"prompt_id": job})
        messages: list[Any] = [["execution_start", {"prompt_id": job}]]
        outputs: dict[str, Any] = {}
        status = "success"
        try:
            for node, facts in graph.items():
                if facts["class_type"] in ("PreviewImage", "SaveImage"):
                    picture = evaluate(graph, [facts["inputs"]["images"][0], 0], self._host(
                        client, job))  # fmt: skip
                    name = f"ComfyUI_temp_{number:05}.png"
                    self.files[name] = encode(picture)
                    image = {"filename": name, "subfolder": "", "type": "temp"}
                    outputs[node] = {"images": [image]}
        except Interrupted:
            status = "error"
            messages.append(["execution_interrupted", {"prompt_id": job, "node_id": "5"}])
        except Exception as error:  # noqa: BLE001 - as the server does
            status = "error"
            data = {"prompt_id": job, "node_id": "5", "node_type": "KSampler",
                    "exception_type": type(error).__name__, "exception_message": str(error),
                    "traceback": ["secret path"]}  # fmt: skip
            messages.append(["execution_error", data])
        self._send(client, *messages[-1]) if status == "error" else None
        self.history[job] = {
            "prompt": [number, job, graph, {}, []],
            "outputs": outputs,
            "status": {"status_str": status, "completed": status == "success",
                       "messages": messages},
        }  # fmt: skip
        self.running = None
        self._send(client, "executing", {"node": None, "prompt_id": job})

    def _host(self, client: str, job: str) -> Any:
        server = self

        class Host:
            files = server.files

            def step(self, node: str, value: int, most: int, picture: Image.Image) -> None:
                if server.interrupted.is_set():
                    raise Interrupted
                if server.drop_after is not None and value >= server.drop_after:
                    server.drop_after = None
                    server.drop_sockets()
                time.sleep(server.seconds_per_step)
                preview = struct.pack(">II", 1, 1) + encode(picture, "JPEG")
                server._send_bytes(client, preview)
                data = {"value": value, "max": most, "prompt_id": job, "node": node}
                server._send(client, "progress", data)

        return Host()

    def _send(self, client: str, kind: str, data: dict[str, Any]) -> None:
        self._send_bytes(client, json.dumps({"type": kind, "data": data}))

    def _send_bytes(self, client: str, message: str | bytes) -> None:
        ws = self.sockets.get(client)
        if ws is not None:
            try:
                ws.send(message)
            except (WebSocketException, OSError):
                self.sockets.pop(client, None)
