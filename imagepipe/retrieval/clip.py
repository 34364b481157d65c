"""The CLIP that pictures are found with, and what it makes of words and pixels."""

from __future__ import annotations

import logging
from pathlib import Path

from PIL import Image

from imagepipe.quality.prompt_match import load_clip
from imagepipe.registry.kinds import Kind
from imagepipe.registry.models import RegisteredModel
from imagepipe.retrieval.text_tower import UnusableTower, text_tower

logger = logging.getLogger("imagepipe.retrieval")


def chosen_clip() -> RegisteredModel | None:
    """The CLIP that was allowed last; None: nothing is found by meaning."""
    allowed = RegisteredModel.objects.filter(
        kind=Kind.CLIP.value, state=RegisteredModel.State.ALLOWED
    )
    return allowed.exclude(sha256="").order_by("-pk").first()


def picture_vector(image: Image.Image, folder: Path) -> bytes:
    """Little-endian 32-bit floats of length 1. Raises ``ImportError`` or ``OSError``."""
    import torch

    model, _tokenizer, processor = load_clip(folder)
    pixels = processor(images=image.convert("RGB"), return_tensors="pt")["pixel_values"]
    with torch.inference_mode():
        seen = model.visual_projection(model.vision_model(pixel_values=pixels).pooler_output)
        unit = torch.nn.functional.normalize(seen, dim=-1).flatten()
    return bytes(unit.numpy().astype("<f4").tobytes())


def text_vector(text: str, folder: Path) -> bytes:
    """As :func:`picture_vector`; words beyond what the model reads are left out.

    Models that NumPy cannot compute are loaded with torch.
    """
    try:
        return bytes(text_tower(folder).vector(text).astype("<f4").tobytes())
    except UnusableTower as error:
        logger.info("the words of %s are read with torch: %s", folder.name, error)
    import torch

    model, tokenizer, _processor = load_clip(folder)
    tokens = tokenizer(text, truncation=True, padding="max_length", return_tensors="pt")
    with torch.inference_mode():
        said = model.text_model(
            input_ids=tokens["input_ids"], attention_mask=tokens.get("attention_mask")
        )
        unit = torch.nn.functional.normalize(
            model.text_projection(said.pooler_output), dim=-1
        ).flatten()
    return bytes(unit.numpy().astype("<f4").tobytes())
