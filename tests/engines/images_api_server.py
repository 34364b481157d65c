"""A server that speaks the OpenAI images API; like the real one it has no seed."""

from __future__ import annotations

import base64
import itertools
import json
from typing import Any

import numpy as np
from PIL import Image, ImageChops

from tests.engines.painting import decode, encode, paint, repaint
from tests.engines.serving import Asked, EngineServer, Reply, reply

KEY = "sk-test-0123456789abcdef"
PARAMETERS = {"model", "prompt", "n", "size", "quality", "response_format"}
SIZES = ("64x64", "96x64", "64x96")


class ImagesAPIServer(EngineServer):
    """``by_url``: pictures are not in the answer, it names their address."""

    def __init__(self, by_url: bool = False) -> None:
        super().__init__()
        self.by_url = by_url
        self.numbers = itertools.count()
        self.files: dict[str, bytes] = {}

    def route(self, asked: Asked) -> Reply:
        if asked.path.startswith("/files/"):
            return Reply(body=self.files[asked.path], content_type="image/png")
        if asked.headers.get("authorization") != f"Bearer {KEY}":
            sent = asked.headers.get("authorization", "")
            return reply({"error": {"message": f"Incorrect API key provided: {sent}."}}, 401)
        if asked.path == "/v1/images/generations":
            return self._generate(asked.json())
        if asked.path == "/v1/images/edits":
            return self._edit(asked.parts())
        return reply({"error": {"message": "Unknown request URL"}}, 404)

    def _generate(self, body: dict[str, Any]) -> Reply:
        if unknown := set(body) - PARAMETERS:
            return _error(f"Unknown parameter: '{min(unknown)}'.")
        if body["size"] not in SIZES:
            return _error(f"Invalid size '{body['size']}'.")
        width, _, height = body["size"].partition("x")
        return self._reply(self._paint((int(width), int(height)), body["prompt"]), body)

    def _edit(self, parts: dict[str, tuple[str, bytes]]) -> Reply:
        body = {n: v.decode() for n, (file, v) in parts.items() if not file}
        source = decode(parts["image"][1]).convert("RGB")
        if f"{source.width}x{source.height}" != body["size"]:
            return _error("The image does not have the asked size.")
        mask = None
        if "mask" in parts:
            given = decode(parts["mask"][1])
            if given.mode != "RGBA" or given.size != source.size:
                return _error("Invalid mask image format - mask must be RGBA and fit.")
            mask = ImageChops.invert(given.getchannel("A"))
        picture = repaint(source, mask, 0.9, body["prompt"], next(self.numbers))
        return self._reply(picture, body)

    def _paint(self, size: tuple[int, int], prompt: str) -> Image.Image:
        """Recognisable by the prompt, and never twice the same."""
        picture = np.asarray(paint(size, prompt)).astype(int)
        noise = np.random.default_rng(next(self.numbers)).integers(-4, 5, picture.shape)
        return Image.fromarray(np.clip(picture + noise, 0, 255).astype(np.uint8))

    def _reply(self, picture: Image.Image, body: dict[str, Any]) -> Reply:
        data = encode(picture)
        item: dict[str, Any] = {"revised_prompt": f"{body['prompt']}, in good light"}
        if self.by_url or body.get("response_format") == "url":
            path = f"/files/{len(self.files)}.png"
            self.files[path] = data
            item["url"] = self.address + path
        else:
            item["b64_json"] = base64.b64encode(data).decode()
        return reply({"created": 1, "quality": "high", "data": [item]})


def _error(message: str) -> Reply:
    body = {"error": {"message": message, "type": "invalid_request_error", "code": None}}
    return Reply(400, json.dumps(body).encode())
