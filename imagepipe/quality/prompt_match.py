"""How well a picture matches its prompt, by a CLIP that the operator names (optional).

Any folder that ``transformers.CLIPModel`` loads will do; what score is usual depends on the
model, so the threshold is given with the folder. Nothing is refused for a low score: a CLIP
knows little of what it was not trained on, and the person who asked sees the picture.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PIL import Image

from imagepipe.quality.protocol import Finding, Outcome

_loaded: dict[str, tuple[Any, Any, Any]] = {}
_lock = threading.Lock()


def check_options(options: object) -> None:
    """Raise ``ValueError`` with what is wrong about options as the setting gives them."""
    if not isinstance(options, Mapping):
        raise ValueError("it must be a mapping.")
    if unknown := [str(name) for name in options if name not in ("folder", "threshold")]:
        raise ValueError(f"unknown: {', '.join(sorted(unknown))}.")
    folder = options.get("folder")
    if not isinstance(folder, (str, Path)) or not str(folder).strip() or "\0" in str(folder):
        raise ValueError("“folder” must name a folder.")
    threshold = options.get("threshold", 0)
    if isinstance(threshold, bool) or not isinstance(threshold, (int, float)):
        raise ValueError("“threshold” must be a number.")
    if not -1 <= threshold <= 1:
        raise ValueError("“threshold” lies between -1 and 1.")


class PromptMatch:
    """Score -1 to 1, the cosine between picture and prompt; higher matches better.

    Below ``threshold`` the finding says that the picture may show something else.
    """

    slug = "prompt-match"

    def __init__(self, prompt: str, folder: str | Path, threshold: float = 0.2) -> None:
        if not -1 <= threshold <= 1:
            raise ValueError("The threshold lies between -1 and 1.")
        self.prompt, self.folder, self.threshold = prompt, Path(folder), threshold

    def check(self, image: Image.Image) -> Finding:
        try:
            score = similarity(image, self.prompt, self.folder)
        except (ImportError, OSError) as error:
            return Finding(
                check=self.slug,
                outcome=Outcome.SKIPPED,
                code="unavailable",
                message=(
                    "The match with the prompt was not measured: the CLIP model is not there, "
                    "or transformers is not installed."
                ),
                threshold=self.threshold,
                details=(("reason", type(error).__name__),),
            )
        if score >= self.threshold:
            code, message = "matches-prompt", "The picture matches the prompt"
        else:
            code, message = "may-not-match", "The picture may not show what the prompt asks for"
        message = f"{message} (score {score:.2f})."
        return Finding(
            self.slug, Outcome.PASSED, code, message, round(score, 4), self.threshold
        )


def similarity(image: Image.Image, prompt: str, folder: Path) -> float:
    """Cosine between a picture and a text. Raises ``ImportError`` or ``OSError``."""
    import torch

    model, tokenizer, processor = load_clip(folder)
    text = tokenizer(prompt, truncation=True, padding="max_length", return_tensors="pt")
    pixels = processor(images=image.convert("RGB"), return_tensors="pt")["pixel_values"]
    with torch.inference_mode():
        out = model(input_ids=text["input_ids"], pixel_values=pixels)
    return float(torch.nn.functional.cosine_similarity(out.text_embeds, out.image_embeds))


def load_clip(folder: Path) -> tuple[Any, Any, Any]:
    """Return model, tokenizer and processor, loaded once from safetensors, never by net."""
    with _lock:
        key = str(folder.resolve())
        if key not in _loaded:
            if not (folder / "model.safetensors").is_file():
                raise FileNotFoundError(folder / "model.safetensors")
            import torch
            from transformers import CLIPImageProcessorPil, CLIPModel, CLIPTokenizer

            model = CLIPModel.from_pretrained(
                folder, local_files_only=True, use_safetensors=True, dtype=torch.float32
            ).eval()
            tokenizer = CLIPTokenizer.from_pretrained(folder, local_files_only=True)
            processor = CLIPImageProcessorPil.from_pretrained(folder, local_files_only=True)
            _loaded[key] = (model, tokenizer, processor)
        return _loaded[key]
