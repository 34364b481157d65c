"""Our recipe in the forms that it can be taken away in."""

from __future__ import annotations

import json

from imagepipe.generation.interchange import comfyui, infotext
from imagepipe.generation.recipe import Recipe

FORMS = {
    "json": ("application/json", ".json"),
    "infotext": ("text/plain; charset=utf-8", ".txt"),
    "comfyui": ("application/json", "-comfyui.json"),
}
"""Name of each form, its media type and the end of a file's name."""


def exported(recipe: Recipe, form: str) -> bytes:
    """Return the recipe in one of :data:`FORMS`."""
    if form == "infotext":
        return infotext.write(recipe).encode()
    if form == "comfyui":
        return json.dumps(comfyui.write(recipe), ensure_ascii=False, indent=2).encode()
    return recipe.canonical()
