"""Captions written by a registered model of transformers (BLIP), in the language it writes."""

from __future__ import annotations

import io
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image, ImageOps

from imagepipe.exceptions import ImagepipeError
from imagepipe.registry.folders import content_sha256
from imagepipe.registry.kinds import Kind
from imagepipe.registry.models import RegisteredModel
from imagepipe.seo.alt_text.captioner import Caption, Words
from imagepipe.seo.alt_text.facts import Facts
from imagepipe.seo.alt_text.grammar import sentence

SLUG = "image-to-text"
VERSION = "1"
MOST_TOKENS = 40
MAX_LENGTH = 250
_loaded: dict[str, tuple[Any, Any, Any]] = {}
_lock = threading.Lock()


class UnusableCaptioner(ImagepipeError):
    """The registered model cannot be loaded here, or is not what was registered."""

    code = "unusable-captioner"


def build() -> ImageToText | None:
    """With the newest model of the kind that is allowed for production; None without one."""
    allowed = RegisteredModel.objects.filter(
        kind=Kind.CAPTIONER.value, state=RegisteredModel.State.ALLOWED
    )
    model = allowed.order_by("-pk").first()
    if model is None:
        return None
    own = model.defaults if isinstance(model.defaults, dict) else {}
    return ImageToText(Path(model.location), model.sha256, str(own.get("language", "en")))


@dataclass
class ImageToText:
    """``language`` is the one that the model was trained to write."""

    folder: Path
    sha256: str
    language: str = "en"
    slug: str = SLUG

    @property
    def identity(self) -> str:
        return f"{self.slug}/{VERSION}/{self.sha256}/{self.language}"

    def caption(self, content: bytes, facts: Facts, language: str) -> Caption:
        if language.partition("-")[0] != self.language.partition("-")[0]:
            return Caption("", reason="other-language")
        text = sentence([self._write(content)])[:MAX_LENGTH]
        if not any(map(str.isalpha, text)):
            return Caption("", reason="no-facts")
        return Caption(text, (Words("model", text),))

    def _write(self, content: bytes) -> str:
        try:
            import torch

            model, tokenizer, processor = _load(self.folder, self.sha256)
            with Image.open(io.BytesIO(content)) as image:
                upright = ImageOps.exif_transpose(image).convert("RGB")
        except (ImportError, OSError, ValueError) as error:
            raise UnusableCaptioner(f"No captions: {type(error).__name__}.") from error
        pixels = processor(images=upright, return_tensors="pt")["pixel_values"]
        with torch.inference_mode():
            tokens = model.generate(
                pixel_values=pixels, max_new_tokens=MOST_TOKENS, num_beams=1, do_sample=False
            )
        return " ".join(str(tokenizer.decode(tokens[0], skip_special_tokens=True)).split())


def _load(folder: Path, sha256: str) -> tuple[Any, Any, Any]:
    """Load once per process, from safetensors that are still those that were registered."""
    with _lock:
        if sha256 not in _loaded:
            if content_sha256(folder) != sha256:
                raise ValueError("other files than were registered")
            import torch
            from transformers import (
                AutoTokenizer,
                BlipForConditionalGeneration,
                BlipImageProcessorPil,
            )

            local: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
            model = BlipForConditionalGeneration.from_pretrained(
                folder, use_safetensors=True, dtype=torch.float32, local_files_only=True
            ).eval()
            tokenizer = AutoTokenizer.from_pretrained(folder, **local)
            processor = BlipImageProcessorPil.from_pretrained(folder, local_files_only=True)
            _loaded[sha256] = (model, tokenizer, processor)
        return _loaded[sha256]
