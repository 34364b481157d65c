"""How well each of several texts fits a picture, by a CLIP that was trained on neither."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from PIL import Image

from imagepipe.quality.prompt_match import load_clip


@dataclass(frozen=True, slots=True)
class Score:
    """``cosine`` is -1 to 1; the probabilities of all groups add up to 1."""

    cosine: float
    probability: float


Groups = tuple[tuple[str, ...], ...]
"""Several texts that mean the same; equally many in each group."""


def rank(image: Image.Image, groups: Groups, folder: Path) -> list[Score]:
    """Return the score of each group, that of its best text.

    Raises ``ImportError`` or ``OSError`` where the model cannot be used.
    """
    import torch

    model, _tokenizer, processor = load_clip(folder)
    known = _texts(folder, groups)
    pixels = processor(images=image.convert("RGB"), return_tensors="pt")["pixel_values"]
    with torch.inference_mode():
        seen = model.visual_projection(model.vision_model(pixel_values=pixels).pooler_output)
        cosines = known @ torch.nn.functional.normalize(seen, dim=-1).flatten()
        best = cosines.reshape(len(groups), -1).amax(1)
        chances = (best * model.logit_scale.exp()).softmax(0)
    pairs = zip(best.tolist(), chances.tolist(), strict=True)
    return [Score(cosine, probability) for cosine, probability in pairs]


@lru_cache(maxsize=4)
def _texts(folder: Path, groups: Groups) -> Any:
    import torch

    model, tokenizer, _processor = load_clip(folder)
    texts = [text for group in groups for text in group]
    tokens = tokenizer(texts, truncation=True, padding="max_length", return_tensors="pt")
    with torch.inference_mode():
        said = model.text_model(
            input_ids=tokens["input_ids"], attention_mask=tokens.get("attention_mask")
        )
        projected = model.text_projection(said.pooler_output)
        return torch.nn.functional.normalize(projected, dim=-1)
