"""A server that speaks as AUTOMATIC1111's web UI does: one lock, one global state."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
import time
from typing import Any

from PIL import Image

from tests.engines.painting import decode, encode, paint, repaint
from tests.engines.serving import Asked, EngineServer, Reply, reply

SAMPLERS = ("Euler a", "DPM++ 2M")
CHECKPOINT = "tiny.safetensors [0123456789]"
LORA = re.compile(r"<lora:([^:>]+):([^>]+)>")
IDLE: dict[str, Any] = {"job_count": 0, "job_timestamp": "0", "sampling_step": 0}


class WebUIServer(EngineServer):
    def __init__(
        self, seconds_per_step: float = 0.002, auth: str = "", controlnet: bool = True
    ) -> None:
        super().__init__()
        self.seconds_per_step = seconds_per_step
        self.auth = auth
        self.controlnet = controlnet
        self.lock = threading.Lock()
        self.state = dict(IDLE)
        self.interrupted = threading.Event()
        self.interrupts: list[str] = []
        self.image: Image.Image | None = None
        self.seen = threading.Event()
        self.loaded = False
        self.options: dict[str, Any] = {"sd_model_checkpoint": CHECKPOINT}

    def route(self, asked: Asked) -> Reply:
        if self.auth:
            wanted = "Basic " + base64.b64encode(self.auth.encode()).decode()
            if asked.headers.get("authorization") != wanted:
                return reply({"detail": "Incorrect username or password"}, 401)
        name = asked.path.removeprefix("/sdapi/v1/").replace("-", "_")
        handler = getattr(self, f"on_{name}", None)
        return handler(asked) if handler else reply({"detail": "Not Found"}, 404)

    def on_samplers(self, asked: Asked) -> Reply:
        return reply([{"name": name, "aliases": [], "options": {}} for name in SAMPLERS])

    def on_scripts(self, asked: Asked) -> Reply:
        names = ["controlnet"] if self.controlnet else []
        return reply({"txt2img": ["prompt matrix", *names], "img2img": names})

    def on_sd_models(self, asked: Asked) -> Reply:
        """The hash of a checkpoint is computed when it is loaded."""
        sha256 = hashlib.sha256(CHECKPOINT.encode()).hexdigest() if self.loaded else None
        return reply([{"title": CHECKPOINT, "model_name": "tiny", "sha256": sha256}])

    def on_progress(self, asked: Asked) -> Reply:
        image = None
        if self.image is not None and asked.query.get("skip_current_image") != "true":
            image = base64.b64encode(encode(self.image)).decode()
            self.seen.set()
        return reply({"progress": 0.5, "state": self.state, "current_image": image})

    def on_interrupt(self, asked: Asked) -> Reply:
        self.interrupts.append(self.state["job_timestamp"])
        self.interrupted.set()
        self.seen.set()
        return reply({})

    def on_txt2img(self, asked: Asked) -> Reply:
        return self._work(asked.json(), None, None)

    def on_img2img(self, asked: Asked) -> Reply:
        body = asked.json()
        if not body.get("init_images"):
            return reply({"detail": "Init image not found"}, 404)
        source = decode(base64.b64decode(body["init_images"][0])).convert("RGB")
        mask = decode(base64.b64decode(body["mask"])) if body.get("mask") else None
        return self._work(body, source, mask)

    def _work(
        self, body: dict[str, Any], source: Image.Image | None, mask: Image.Image | None
    ) -> Reply:
        sampler = body.get("sampler_name") or "Euler a"
        if sampler not in SAMPLERS:
            return reply({"detail": "Sampler not found"}, 404)
        with self.lock:
            self.loaded = True
            self.interrupted.clear()
            stamp = str(time.time())
            steps = body["steps"]
            self.state = {"job_count": 1, "job_timestamp": stamp, "sampling_steps": steps}
            picture = self._paint(body, sampler, source, mask)
            for step in range(1, steps + 1):
                if self.interrupted.is_set():
                    break
                time.sleep(self.seconds_per_step)
                self.image = picture
                self.state = self.state | {"sampling_step": step}
                if step == 2:  # nobody is too slow to see it
                    self.seen.clear()
                    self.seen.wait(2)
            self.state, self.image = dict(IDLE), None
        return reply(self._answer(body, sampler, picture))

    def _paint(
        self,
        body: dict[str, Any],
        sampler: str,
        source: Image.Image | None,
        mask: Image.Image | None,
    ) -> Image.Image:
        units = (body.get("alwayson_scripts") or {}).get("ControlNet", {}).get("args", [])
        facts = (
            LORA.sub("", body["prompt"]).strip(),
            LORA.findall(body["prompt"]),
            body.get("negative_prompt"),
            body["seed"],
            sampler,
            body["cfg_scale"],
            [(unit["model"], unit["weight"], unit["image"]) for unit in units],
        )
        size = (body["width"], body["height"])
        if source is None:
            return paint(size, facts)
        return repaint(source.resize(size), mask, body["denoising_strength"], facts)

    def _answer(
        self, body: dict[str, Any], sampler: str, picture: Image.Image
    ) -> dict[str, Any]:
        info = {
            "seed": body["seed"],
            "all_seeds": [body["seed"]],
            "sampler_name": sampler,
            "index_of_first_image": 0,
            "sd_model_name": "tiny",
            "version": "v1.10.1",
        }
        return {
            "images": [base64.b64encode(encode(picture)).decode()],
            "parameters": {},
            "info": json.dumps(info),
        }
