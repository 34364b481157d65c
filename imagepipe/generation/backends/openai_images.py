"""Pictures from the OpenAI images API and the many servers that speak it.

There is no seed, no number of steps and no guidance: nothing can be made twice.
See https://platform.openai.com/docs/api-reference/images.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from PIL import Image, ImageChops

from imagepipe.generation.backends.address import parse_address
from imagepipe.generation.backends.answers import decode_base64, read_answer
from imagepipe.generation.backends.inputs import Inputs, fit_native, read_inputs
from imagepipe.generation.backends.progress import Progress, watch
from imagepipe.generation.backends.remote import MAX_ANSWER, Remote
from imagepipe.generation.capabilities import Capabilities
from imagepipe.generation.environment import library_versions, platform_name
from imagepipe.generation.exceptions import InvalidAnswer, InvalidPicture, UnsupportedRequest
from imagepipe.generation.pictures import to_png
from imagepipe.generation.recipe import Environment
from imagepipe.generation.request import Mode, ModelReference, OnStep, Request, Result

SIZES = ("1024x1024", "1536x1024", "1024x1536")
MAX_MASK = 4 * 1024 * 1024
LOOK_SECONDS = 1.0
PROMPT_CHARACTERS = 32_000


class OpenAIImagesBackend:
    """Text to image, image to image, inpainting and outpainting.

    ``address`` ends with ``/v1``. ``sizes``: what the model can do, as ``"1024x1024"``.
    ``quality`` and ``response_format`` are sent when they are set; servers other than
    OpenAI's own usually need ``response_format="b64_json"``. ``edits``: whether the server
    has ``/images/edits``.
    """

    name = "openai-images"
    version = "1"

    def __init__(
        self,
        address: str = "https://api.openai.com/v1",
        key: str = "",
        timeout: float = 300.0,
        sizes: Sequence[str] = SIZES,
        quality: str = "",
        response_format: str = "",
        edits: bool = True,
    ) -> None:
        self._remote = Remote(parse_address(address), key, timeout)
        self._sizes = tuple(_size(text) for text in sizes)
        if not self._sizes:
            raise ValueError("sizes must name at least one size")
        if response_format not in ("", "b64_json", "url"):
            raise ValueError("response_format must be b64_json or url")
        self._options = {"quality": quality, "response_format": response_format}
        self._edits = edits

    def capabilities(self, model: ModelReference | None = None) -> Capabilities:
        return Capabilities(
            modes=frozenset(Mode) if self._edits else frozenset({Mode.TEXT_TO_IMAGE}),
            reproducible=False,
            max_pixels=max(4096 * 4096, *(w * h for w, h in self._sizes)),
            size_multiple=1,
            native_sizes=self._sizes,
            only_native_sizes=True,
            supports_negative=False,
            supports_progress=False,
            supports_cancel=True,
            supports_guidance=False,
            supports_seed=False,
            supports_steps=False,
            supports_strength=False,
            identifies_weights=False,
        )

    def generate(
        self, request: Request, model: ModelReference, on_step: OnStep | None = None
    ) -> Result:
        self.capabilities(model).check(request)
        if len(request.prompt) > PROMPT_CHARACTERS or not request.prompt.strip():
            raise UnsupportedRequest("This engine needs a prompt of at most 32,000 characters.")
        inputs = fit_native(read_inputs(request, 1), self._sizes)
        started = time.monotonic()
        progress = Progress(on_step, request.steps)
        fields = self._fields(request, model, inputs.size)

        def call() -> Any:
            if inputs.source is None:
                return self._remote.post_json("/images/generations", fields)
            return self._edit(fields, inputs)

        answer = watch(call, progress.still_there, LOOK_SECONDS)
        picture = to_png(inputs.finish(read_answer(self._picture(answer), inputs.size)))
        progress.finish()
        return Result(
            png=picture,
            width=request.width,
            height=request.height,
            seed=request.seed,
            seconds=time.monotonic() - started,
            environment=self._environment(answer),
            warnings=_warnings(answer),
        )

    def _fields(
        self, request: Request, model: ModelReference, size: tuple[int, int]
    ) -> dict[str, Any]:
        fields = {
            "model": model.location or model.slug,
            "prompt": request.prompt,
            "n": 1,
            "size": f"{size[0]}x{size[1]}",
        }
        return fields | {name: value for name, value in self._options.items() if value}

    def _edit(self, fields: dict[str, Any], inputs: Inputs) -> Any:
        assert inputs.source is not None  # noqa: S101 - for the type checker
        files = {"image": ("image.png", to_png(inputs.source), "image/png")}
        if inputs.region is not None:
            files["mask"] = ("mask.png", _mask(inputs.region), "image/png")
        data = {name: str(value) for name, value in fields.items()}
        answer = self._remote.call("POST", "/images/edits", data=data, files=files)
        return self._remote.parse(answer)

    def _picture(self, answer: Any) -> bytes:
        data = answer.get("data") if isinstance(answer, dict) else None
        first = data[0] if isinstance(data, list) and data else None
        if not isinstance(first, dict):
            raise InvalidAnswer("The engine answered with something else than a picture.")
        if first.get("b64_json"):
            return decode_base64(first["b64_json"], MAX_ANSWER)
        return self._fetch(first.get("url"))

    def _fetch(self, url: Any) -> bytes:
        """Only from the engine itself: an answer must not send us elsewhere."""
        address = self._remote.address
        try:
            found = parse_address(url.partition("?")[0]) if isinstance(url, str) else None
        except ValueError:
            found = None
        if found is None or found.origin != address.origin:
            raise InvalidPicture(
                "The engine answered with an address elsewhere instead of a picture. "
                "Set its option response_format to “b64_json”."
            )
        parts = urlsplit(url)
        return self._remote.fetch(f"{parts.path}?{parts.query}" if parts.query else parts.path)

    def _environment(self, answer: Any) -> Environment:
        libraries = dict(library_versions("httpx2", "Pillow"))
        for name in ("quality", "background"):
            value = answer.get(name)
            if isinstance(value, str) and len(value) <= 40:
                libraries[f"answer {name}"] = value
        return Environment(
            backend=self.name,
            backend_version=self.version,
            precision="unknown",
            device="remote",
            platform=platform_name(),
            libraries=tuple(sorted(libraries.items())),
        )


def _mask(region: Image.Image) -> bytes:
    """White is repainted with us; here it is what is transparent."""
    kept = ImageChops.invert(region)
    mask = Image.merge("RGBA", (kept, kept, kept, kept))
    data = to_png(mask)
    if len(data) > MAX_MASK:
        raise UnsupportedRequest("The mask is too detailed: it has more than 4 MB.")
    return data


def _warnings(answer: Any) -> tuple[str, ...]:
    found = ["This engine takes no seed: the picture cannot be made a second time."]
    data = answer.get("data")
    revised = data[0].get("revised_prompt")
    if isinstance(revised, str) and revised.strip():
        shown = "".join(c if c.isprintable() else " " for c in revised)[:1000]
        found.append(f"The engine changed the prompt to: {shown}")
    return tuple(found)


def _size(text: Any) -> tuple[int, int]:
    match = re.fullmatch(r"(\d{1,4})x(\d{1,4})", text) if isinstance(text, str) else None
    if match is None or not int(match[1]) or not int(match[2]):
        raise ValueError(f"“{text}” is not a size such as 1024x1024")
    return int(match[1]), int(match[2])
