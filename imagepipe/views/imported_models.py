"""Which registered model another tool's recipe means, by hash, else by name."""

from __future__ import annotations

import re

from django.db.models import QuerySet
from django.utils.text import slugify

from imagepipe.generation.interchange.foreign import ForeignRecipe
from imagepipe.registry.kinds import Kind
from imagepipe.registry.models import RegisteredModel

SHORTEST_HASH = 8
_HEX = re.compile(r"[0-9a-f]+")


def allowed_checkpoints() -> QuerySet[RegisteredModel]:
    return RegisteredModel.objects.filter(
        state=RegisteredModel.State.ALLOWED, kind=Kind.CHECKPOINT.value
    )


def match_model(recipe: ForeignRecipe) -> RegisteredModel | None:
    """Return the one model that fits; None when none does, or several by their names."""
    models = allowed_checkpoints()
    digest = recipe.model_hash
    if len(digest) >= SHORTEST_HASH and _HEX.fullmatch(digest):
        same = list(models.filter(sha256__startswith=digest)[:2])
        if len(same) == 1:
            return same[0]
    wanted = _plain(recipe.model_name)
    if not wanted:
        return None
    named = [one for one in models if wanted in (_plain(one.slug), _plain(one.name))]
    return named[0] if len(named) == 1 else None


def _plain(name: str) -> str:
    """The name without folders, ending and punctuation."""
    stem = re.split(r"[\\/]", name)[-1]
    return slugify(re.sub(r"\.(safetensors|ckpt|sft|gguf)$", "", stem).replace(".", "-"))
