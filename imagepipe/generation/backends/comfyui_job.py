"""One workflow in the queue of a ComfyUI server: sent, followed, fetched, or taken back."""

from __future__ import annotations

import json
import logging
import socket
import struct
import time
import uuid
from typing import Any

from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

from imagepipe.generation.backends.answers import MAX_PREVIEW, read_preview
from imagepipe.generation.backends.comfyui_graph import Graph, Template
from imagepipe.generation.backends.progress import Progress
from imagepipe.generation.backends.remote import Remote
from imagepipe.generation.exceptions import (
    BackendDown,
    GenerationError,
    InvalidAnswer,
    InvalidPicture,
    OutOfMemory,
    RequestRefused,
)

SHORT_SECONDS = 10.0
OPEN_SECONDS = 10.0
HISTORY_EVERY = 5.0
"""Seconds of silence after which the history is asked."""
HISTORY_TRIES = 20
RECONNECT_SECONDS = 0.5
PREVIEW_IMAGE, PREVIEW_WITH_METADATA = 1, 4

_quiet = logging.getLogger("imagepipe.generation.websocket")
_quiet.setLevel(logging.CRITICAL)


class Job:
    """Use it for one picture. Raises what ``progress`` raises, after taking the job back."""

    def __init__(
        self, remote: Remote, template: Template, progress: Progress, look_seconds: float
    ) -> None:
        self._remote = remote
        self._template = template
        self._progress = progress
        self._look = look_seconds
        self._client = uuid.uuid4().hex
        self._id = str(uuid.uuid4())
        self._preview: bytes | None = None
        self._connection: ClientConnection | None = None
        self._deadline = time.monotonic() + remote.timeout

    def run(self, graph: Graph) -> bytes:
        """Return the bytes of the result."""
        self._connect()
        try:
            self._submit(graph)
            try:
                outputs = self._follow()
            except InvalidPicture:
                raise
            except BaseException:
                self._take_back()
                raise
            return self._fetch(outputs)
        finally:
            self._close()
            self._forget()

    def _submit(self, graph: Graph) -> None:
        body = {"prompt": graph, "client_id": self._client, "prompt_id": self._id}
        answer = self._remote.post_json("/prompt", body, timeout=60.0)
        given = answer.get("prompt_id") if isinstance(answer, dict) else None
        if not isinstance(given, str) or not given or len(given) > 100:
            raise InvalidAnswer("The engine did not say under which id it works.")
        self._id = given

    def _follow(self) -> dict[str, Any]:
        """Return the outputs from the history once the job has ended."""
        heard = time.monotonic()
        while True:
            if time.monotonic() > self._deadline:
                raise BackendDown(
                    f"The engine at {self._remote.address.origin} did not answer within "
                    f"{self._remote.timeout:g} seconds."
                )
            message = self._receive()
            if message is not None:
                heard = time.monotonic()
                if self._read(message):
                    return self._ended()
                continue
            self._progress.still_there()
            if self._connection is None or time.monotonic() - heard > HISTORY_EVERY:
                heard = time.monotonic()
                entry = self._history()
                if entry is not None:
                    return _outputs(entry)
                if not self._is_queued():
                    # It may have ended between the two questions.
                    entry = self._history()
                    if entry is not None:
                        return _outputs(entry)
                    raise BackendDown("The engine lost the job; it was probably restarted.")

    def _receive(self) -> str | bytes | None:
        """Return one message; None when there was none, or no connection."""
        if self._connection is None:
            time.sleep(min(self._look, RECONNECT_SECONDS))
            self._connect()
            return None
        try:
            return self._connection.recv(timeout=self._look)
        except TimeoutError:
            return None
        except (WebSocketException, OSError, EOFError):
            self._close()
            return None

    def _connect(self) -> None:
        """Nothing when it cannot be had: the history tells the end as well."""
        address = self._remote.address
        plain = None
        try:
            # With a socket of ours the connection follows no redirect to elsewhere.
            plain = socket.create_connection((address.host, address.port), OPEN_SECONDS)
            self._connection = connect(
                address.socket_url(f"/ws?clientId={self._client}"),
                sock=plain,
                server_hostname=address.host if address.is_secure else None,
                proxy=None,
                additional_headers=self._remote.headers,
                open_timeout=OPEN_SECONDS,
                close_timeout=1.0,
                max_size=MAX_PREVIEW,
                compression=None,
                logger=_quiet,
                legacy=True,
            )
        except (WebSocketException, OSError, EOFError, ValueError):
            if plain is not None:
                plain.close()
            self._connection = None

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _read(self, message: str | bytes) -> bool:
        """Take note of a message; returns whether the job has ended."""
        if isinstance(message, bytes):
            self._preview = _picture(message) or self._preview
            return False
        try:
            event = json.loads(message)
            kind, data = event["type"], event["data"]
        except (ValueError, RecursionError, KeyError, TypeError):
            return False
        if not isinstance(data, dict) or data.get("prompt_id") != self._id:
            return False
        if kind == "progress":
            self._tell(data)
        elif kind == "executing":
            return data.get("node") is None
        elif kind in ("execution_success", "execution_error", "execution_interrupted"):
            return True
        return False

    def _tell(self, data: dict[str, Any]) -> None:
        value, most = data.get("value"), data.get("max")
        if not isinstance(value, int) or not isinstance(most, int) or not 0 < most <= 10_000:
            return
        sampler = self._template.inputs.get("steps", ("", ""))[0]
        if sampler and str(data.get("node") or sampler).partition(":")[0] != sampler:
            return
        self._progress.reach(value, most, read_preview(self._preview or b""))
        self._preview = None

    def _ended(self) -> dict[str, Any]:
        """The history follows the message by a moment."""
        for attempt in range(HISTORY_TRIES):
            entry = self._history()
            if entry is not None:
                return _outputs(entry)
            time.sleep(min(0.5, 0.02 * 2**attempt))
            self._progress.still_there()
        raise BackendDown("The engine ended the job and does not know it any more.")

    def _history(self) -> dict[str, Any] | None:
        found = self._remote.get_json(f"/history/{self._id}", timeout=SHORT_SECONDS)
        entry = found.get(self._id) if isinstance(found, dict) else None
        return entry if isinstance(entry, dict) else None

    def _queue(self) -> dict[str, list[str]]:
        found = self._remote.get_json("/queue", timeout=SHORT_SECONDS)
        found = found if isinstance(found, dict) else {}
        return {
            name: [
                item[1]
                for item in found.get(f"queue_{name}") or ()
                if isinstance(item, list) and len(item) > 1
            ]
            for name in ("running", "pending")
        }

    def _is_queued(self) -> bool:
        return any(self._id in ids for ids in self._queue().values())

    def _take_back(self) -> None:
        """Take the job out of the queue, or interrupt it, and nobody else's."""
        try:
            self._remote.call(
                "POST", "/queue", json={"delete": [self._id]}, timeout=SHORT_SECONDS
            )
            if self._id in self._queue()["running"]:
                body = {"prompt_id": self._id}
                self._remote.call("POST", "/interrupt", json=body, timeout=SHORT_SECONDS)
        except GenerationError:
            return

    def _fetch(self, outputs: dict[str, Any]) -> bytes:
        output = outputs.get(self._template.output)
        images = output.get("images") if isinstance(output, dict) else None
        first = images[0] if isinstance(images, list) and images else None
        if not isinstance(first, dict) or not isinstance(first.get("filename"), str):
            raise InvalidPicture("The engine sent no picture.")
        params = {
            name: str(first.get(name) or "")[:300] for name in ("filename", "subfolder", "type")
        }
        return self._remote.call("GET", "/view", params=params).body

    def _forget(self) -> None:
        """Prompts are not left behind in the server's history."""
        try:
            self._remote.call(
                "POST", "/history", json={"delete": [self._id]}, timeout=SHORT_SECONDS
            )
        except GenerationError:
            return


def _outputs(entry: dict[str, Any]) -> dict[str, Any]:
    status = entry.get("status")
    status = status if isinstance(status, dict) else {}
    if status.get("status_str") == "error":
        raise _failure(status.get("messages"))
    outputs = entry.get("outputs")
    if not isinstance(outputs, dict):
        raise InvalidAnswer("The engine answered with something else than a picture.")
    return outputs


def _failure(messages: Any) -> GenerationError:
    for message in messages if isinstance(messages, list) else ():
        if not isinstance(message, list) or len(message) != 2:
            continue
        kind, data = message
        if not isinstance(data, dict):
            continue
        if kind == "execution_interrupted":
            return RequestRefused("Somebody stopped the work at the engine itself.")
        if kind == "execution_error":
            what = str(data.get("exception_type") or "")
            if "OutOfMemory" in what:
                return OutOfMemory("The engine has not enough memory. Choose a smaller size.")
            text = " ".join(str(data.get("exception_message") or what).split())[:300]
            return RequestRefused(
                f"The node “{str(data.get('node_type'))[:60]}” of the workflow failed: {text}"
            )
    return RequestRefused("The engine failed and did not say why.")


def _picture(message: bytes) -> bytes | None:
    """The preview within a binary message: event, format or length of facts, bytes."""
    if len(message) < 8:
        return None
    event, second = struct.unpack(">II", message[:8])
    if event == PREVIEW_IMAGE:
        return message[8:]
    if event == PREVIEW_WITH_METADATA:
        return message[8 + second :]
    return None
