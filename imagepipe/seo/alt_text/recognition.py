"""Which thing of the vocabulary a picture shows, by a registered CLIP; None where unsure."""

from __future__ import annotations

import hashlib
import io
import logging
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageOps

from imagepipe.quality.zero_shot import rank
from imagepipe.registry.models import RegisteredModel
from imagepipe.seo.alt_text.vocabulary import things, vocabulary

logger = logging.getLogger("imagepipe.seo")
PROBABILITY = 0.6
SUPPORT = 0.5
"""Share of the probability that is enough for a word that the page says, too."""


@dataclass(frozen=True, slots=True)
class Recogniser:
    """``labels`` are names of the vocabulary, asked for in each of the ``templates``."""

    slug: str
    folder: Path
    sha256: str
    labels: tuple[str, ...]
    templates: tuple[str, ...]
    threshold: float

    @classmethod
    def of(cls, model: RegisteredModel) -> Recogniser | None:
        """Read the model's own parameters ``labels``, ``label_templates``, ``label_threshold``.

        What score means that a word fits depends on the model: without ``label_threshold``
        (cosine, -1 to 1) nothing is recognised.
        """
        own = model.defaults if isinstance(model.defaults, dict) else {}
        threshold = own.get("label_threshold")
        if isinstance(threshold, bool) or not isinstance(threshold, (int, float)):
            return None
        known = vocabulary().nouns
        labels = tuple(label for label in _texts(own.get("labels")) if label in known)
        templates = tuple(
            text for text in _texts(own.get("label_templates")) if text.count("{label}") == 1
        )
        return cls(
            slug=model.slug,
            folder=Path(model.location),
            sha256=model.sha256,
            labels=labels or things(),
            templates=templates or ("a photo of {label}",),
            threshold=float(threshold),
        )

    @property
    def identity(self) -> str:
        parts = (self.sha256, str(self.threshold), *self.labels, *self.templates)
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]

    def recognise(self, content: bytes, mentioned: Collection[str] = ()) -> str | None:
        """Return a name of the vocabulary. What the page mentions needs less certainty."""
        groups = tuple(
            tuple(text.replace("{label}", _with_article(label)) for text in self.templates)
            for label in self.labels
        )
        try:
            with Image.open(io.BytesIO(content)) as image:
                upright = ImageOps.exif_transpose(image).convert("RGB")
            scores = rank(upright, groups, self.folder)
        except (ImportError, OSError):
            logger.warning("nothing can be recognised: the model %s is not usable", self.slug)
            return None
        score, best = max(
            zip(scores, self.labels, strict=True), key=lambda pair: pair[0].probability
        )
        needed = PROBABILITY * (SUPPORT if best in mentioned else 1)
        certain = score.probability >= needed and score.cosine >= self.threshold
        return best if certain else None


def _with_article(label: str) -> str:
    noun = vocabulary().nouns[label]
    if noun.is_mass:
        return label
    return f"an {label}" if label[0] in "aeiou" else f"a {label}"


def _texts(value: object) -> list[str]:
    return [text for text in value if isinstance(text, str)] if isinstance(value, list) else []
