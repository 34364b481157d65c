"""Pictures from a Stable Diffusion web UI: AUTOMATIC1111 or Forge, started with ``--api``.

The server works on one thing at a time and its calls block until they are done, so jobs of
this process wait for each other here, progress is asked for meanwhile, and the server's global
interrupt is only sent while it works on a job of ours.
See https://github.com/AUTOMATIC1111/stable-diffusion-webui/wiki/API.
"""

from __future__ import annotations

import base64
import json
import re
import threading
import time
from typing import Any

from PIL import Image

from imagepipe.generation.backends.address import parse_address
from imagepipe.generation.backends.answers import decode_base64, read_answer
from imagepipe.generation.backends.automatic1111_job import SHORT_SECONDS, Job, turn_at
from imagepipe.generation.backends.inputs import Inputs, read_inputs
from imagepipe.generation.backends.progress import Progress, watch
from imagepipe.generation.backends.remembered import Remembered
from imagepipe.generation.backends.remote import MAX_ANSWER, Remote
from imagepipe.generation.capabilities import Capabilities
from imagepipe.generation.environment import library_versions, platform_name
from imagepipe.generation.exceptions import (
    InvalidAnswer,
    InvalidModel,
    InvalidPicture,
    UnsupportedRequest,
)
from imagepipe.generation.pictures import to_png
from imagepipe.generation.recipe import Environment
from imagepipe.generation.request import Control, Mode, ModelReference, OnStep, Request, Result

FRESH_SECONDS = 300.0
MULTIPLE = 8
EXTRA_NETWORK = re.compile(r"<[^<>:]{1,60}:[^<>]{1,200}>")
"""With this the server loads files that nobody allowed; see ``Adapter`` for how to use them."""
SAMPLERS = 200

class Automatic1111Backend:
    """Text to image, image to image, inpainting and outpainting, with LoRA and ControlNet.

    ``address`` is the server's, without ``/sdapi``. ``key`` is ``user:password`` of
    ``--api-auth``. ``poll_seconds``: how often progress is asked for. ``reproducible``: switch
    it off where the server uses xformers or other means that are not repeatable.
    """

    name = "automatic1111"
    version = "1"

    def __init__(
        self,
        address: str = "http://127.0.0.1:7860",
        key: str = "",
        timeout: float = 600.0,
        poll_seconds: float = 0.5,
        max_pixels: int = 2048 * 2048,
        reproducible: bool = True,
    ) -> None:
        self._remote = Remote(parse_address(address), key, timeout)
        self._poll = poll_seconds
        self._max_pixels = max_pixels
        self._reproducible = reproducible
        self._samplers = Remembered(self._ask_samplers, FRESH_SECONDS)
        self._scripts = Remembered(self._ask_scripts, FRESH_SECONDS)

    def capabilities(self, model: ModelReference | None = None) -> Capabilities:
        return Capabilities(
            modes=frozenset(Mode),
            reproducible=self._reproducible,
            schedulers=self._samplers.get(),
            max_pixels=self._max_pixels,
            size_multiple=MULTIPLE,
            native_sizes=((512, 512), (768, 512), (512, 768), (1024, 1024)),
            supports_preview=True,
            supports_controls="controlnet" in self._scripts.get(),
            supports_adapters=True,
            adapter_kinds=("lora",),
            identifies_weights=False,
        )

    def generate(
        self, request: Request, model: ModelReference, on_step: OnStep | None = None
    ) -> Result:
        self.capabilities(model).check(request)
        _refuse_extra_networks(request)
        checkpoint = self._checkpoint(model)
        inputs = read_inputs(request, MULTIPLE)
        route, body = _task(request, model, inputs)
        started = time.monotonic()
        progress = Progress(on_step, request.steps)
        answer = self._run(route, body, progress)
        image, info = _read(answer, inputs.size)
        picture = to_png(inputs.finish(image))
        progress.finish()
        seed, warnings = _seed(info, request.seed)
        return Result(
            png=picture,
            width=request.width,
            height=request.height,
            seed=seed,
            seconds=time.monotonic() - started,
            environment=self._environment(info, checkpoint, model),
            warnings=warnings,
        )

    def _run(self, route: str, body: dict[str, Any], progress: Progress) -> Any:
        turn = turn_at(self._remote.address.origin)
        while not turn.acquire(timeout=max(self._poll, 0.2)):
            progress.still_there()
        job = Job(self._remote, self._poll)
        ended = threading.Event()

        def call() -> Any:
            try:
                return self._remote.post_json(route, body)
            finally:
                ended.set()
                turn.release()

        try:
            return watch(call, lambda: job.look(progress), self._poll)
        except BaseException:
            if not ended.is_set():
                threading.Thread(target=job.stop, args=(ended,), daemon=True).start()
            raise

    def _ask_samplers(self) -> tuple[str, ...]:
        found = self._remote.get_json("/sdapi/v1/samplers", timeout=SHORT_SECONDS)
        names = [item.get("name") for item in found if isinstance(item, dict)]
        return tuple(name for name in names[:SAMPLERS] if isinstance(name, str) and name)

    def _ask_scripts(self) -> tuple[str, ...]:
        found = self._remote.get_json("/sdapi/v1/scripts", timeout=SHORT_SECONDS)
        names = found.get("txt2img") if isinstance(found, dict) else None
        return tuple(str(name).casefold() for name in names or ())

    def _checkpoint(self, model: ModelReference) -> dict[str, Any] | None:
        """What the server knows of the model's file; None when no file is named."""
        if not model.location:
            return None
        found = self._remote.get_json("/sdapi/v1/sd-models", timeout=SHORT_SECONDS)
        for item in found if isinstance(found, list) else ():
            names = ("title", "model_name", "filename", "hash")
            if isinstance(item, dict) and model.location in [item.get(name) for name in names]:
                known = item.get("sha256") or ""
                if model.sha256 and known and known != model.sha256:
                    raise InvalidModel(
                        f"The files of the model “{model.slug}” have changed since it was "
                        f"registered: expected {model.sha256[:12]}…, found {known[:12]}…."
                    )
                return item
        raise UnsupportedRequest(f"The engine has no model “{model.location}”.")

    def _environment(
        self, info: dict[str, Any], checkpoint: dict[str, Any] | None, model: ModelReference
    ) -> Environment:
        version = info.get("version")
        libraries = dict(library_versions("httpx2", "Pillow"))
        if isinstance(version, str):
            libraries["stable-diffusion-webui"] = version[:80]
        sampler = info.get("sampler_name")
        return Environment(
            backend=self.name,
            backend_version=self.version,
            model_sha256=self._model_hash(checkpoint, model),
            scheduler=sampler[:80] if isinstance(sampler, str) else "",
            precision="unknown",
            device="remote",
            platform=platform_name(),
            libraries=tuple(sorted(libraries.items())),
        )

    def _model_hash(self, checkpoint: dict[str, Any] | None, model: ModelReference) -> str:
        """The server computes it when it loads a model for the first time."""
        if checkpoint is None:
            return ""
        known = checkpoint.get("sha256")
        if not known:
            known = (self._checkpoint(model) or {}).get("sha256")
        return known if isinstance(known, str) and re.fullmatch(r"[0-9a-f]{64}", known) else ""


def _refuse_extra_networks(request: Request) -> None:
    for text in (request.prompt, request.negative_prompt):
        if found := EXTRA_NETWORK.search(text):
            raise UnsupportedRequest(
                f"“{found[0]}” in the prompt would load a file of the engine. "
                "Choose adapters in their own field."
            )


def _task(
    request: Request, model: ModelReference, inputs: Inputs
) -> tuple[str, dict[str, Any]]:
    """Return route and body."""
    body = _body(request, model) | {"width": inputs.size[0], "height": inputs.size[1]}
    if inputs.controls:
        pairs = zip(request.controls, inputs.controls, strict=True)
        units = [_unit(control, picture) for control, picture in pairs]
        body["alwayson_scripts"] = {"ControlNet": {"args": units}}
    if inputs.source is None:
        return "/sdapi/v1/txt2img", body
    body |= {
        "init_images": [_base64(inputs.source)],
        "denoising_strength": request.strength,
    }
    if inputs.region is not None:
        body |= {
            "mask": _base64(inputs.region),  # white is repainted, as with us
            "inpainting_mask_invert": 0,
            "inpainting_fill": 1,
            "inpaint_full_res": False,
            "mask_blur": 0,
        }
    return "/sdapi/v1/img2img", body


def _body(request: Request, model: ModelReference) -> dict[str, Any]:
    loras = "".join(f" <lora:{a.location}:{a.weight:g}>" for a in request.adapters)
    body: dict[str, Any] = {
        "prompt": request.prompt + loras,
        "negative_prompt": request.negative_prompt,
        "seed": request.seed,
        "steps": request.steps,
        "cfg_scale": request.guidance,
        "batch_size": 1,
        "n_iter": 1,
        "send_images": True,
        "save_images": False,
        "do_not_save_samples": True,
        "do_not_save_grid": True,
        "override_settings_restore_afterwards": True,
    }
    if request.scheduler is not None:
        body["sampler_name"] = request.scheduler
    if model.location:
        body["override_settings"] = {"sd_model_checkpoint": model.location}
    return body


def _unit(control: Control, picture: Image.Image) -> dict[str, Any]:
    """The picture is the guide itself, so the server's own detectors stay off."""
    return {
        "enabled": True,
        "module": "none",
        "model": control.model.location,
        "weight": control.weight,
        "image": _base64(picture),
        "resize_mode": "Crop and Resize",
        "guidance_start": control.start,
        "guidance_end": control.end,
        "pixel_perfect": True,
        "control_mode": "Balanced",
    }


def _base64(image: Image.Image) -> str:
    return base64.b64encode(to_png(image)).decode()


def _read(answer: Any, size: tuple[int, int]) -> tuple[Image.Image, dict[str, Any]]:
    """The picture and ``info``, which is JSON within a string of the JSON."""
    if not isinstance(answer, dict):
        raise InvalidAnswer("The engine answered with something else than a picture.")
    info = answer.get("info")
    try:
        facts = json.loads(info) if isinstance(info, str) else info
    except (ValueError, RecursionError):
        facts = None
    if not isinstance(facts, dict):
        raise InvalidAnswer("The engine did not say how the picture was made.")
    images = answer.get("images")
    first = facts.get("index_of_first_image")
    first = first if isinstance(first, int) and 0 <= first < 8 else 0
    if not isinstance(images, list) or len(images) <= first:
        raise InvalidPicture("The engine sent no picture.")
    return read_answer(decode_base64(images[first], MAX_ANSWER), size), facts


def _seed(info: dict[str, Any], asked: int) -> tuple[int, tuple[str, ...]]:
    seed = info.get("seed")
    if isinstance(seed, int) and not isinstance(seed, bool) and 0 <= seed < 2**63:
        if seed != asked:
            return seed, (f"The engine used the seed {seed} instead of {asked}.",)
        return seed, ()
    return asked, ("The engine did not say which seed it used.",)
