"""Reads the recipe out of a picture, a workflow file or a text of any known tool.

Everything here is hostile input: nothing is executed, no file is opened, sizes and depths are
bounded, and the only error is :class:`UnreadableRecipe`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from imagepipe.generation.interchange import comfyui, infotext, invokeai, own, swarmui, values
from imagepipe.generation.interchange.containers import MAX_FILE, is_picture, read_texts
from imagepipe.generation.interchange.foreign import ForeignRecipe, UnreadableRecipe

NOTHING = (
    "There is no recipe in this file. Pictures lose it when they are edited or sent through "
    "a messenger; drop the file as the tool has written it, or paste the text."
)
PARSERS = (own, swarmui, invokeai, comfyui)
NAMES = ("invokeai_metadata", "parameters", "UserComment", "prompt", "workflow")
"""Under which tools write recipes, the one that says most first."""


def read(data: bytes) -> ForeignRecipe:
    """Return the recipe in a file's bytes. Raises :class:`UnreadableRecipe`."""
    if len(data) > MAX_FILE:
        raise UnreadableRecipe(f"The file is larger than {MAX_FILE // 1024 // 1024} MiB.")
    if not is_picture(data):
        return read_text(_decode(data))
    texts = read_texts(data)
    reasons: list[str] = []
    for name in NAMES:
        if name not in texts:
            continue
        try:
            return read_text(texts[name])
        except UnreadableRecipe as error:
            reasons.append(str(error))
    raise UnreadableRecipe(reasons[0] if reasons else NOTHING)


def read_text(text: str) -> ForeignRecipe:
    """Return the recipe in a text. Raises :class:`UnreadableRecipe`."""
    text = text.strip().removeprefix("\ufeff")
    if not text:
        raise UnreadableRecipe("There is nothing to read. Paste a text, or choose a file.")
    if not text.startswith(("{", "[")):
        return infotext.parse(text)
    for document in _documents(values.read_json(text)):
        for parser in PARSERS:
            if parser.matches(document):
                return parser.parse(document)
    raise UnreadableRecipe("This JSON is no recipe of a known tool.")


def _documents(document: Any) -> Iterator[Any]:
    """The document, and what tools wrap a recipe in."""
    yield document
    if isinstance(document, dict):
        for name in ("prompt", "workflow", "invokeai_metadata"):
            inner = document.get(name)
            if isinstance(inner, str) and inner.lstrip().startswith("{"):
                inner = values.read_json(inner)
            yield inner


def _decode(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UnreadableRecipe(
            "This is neither a PNG, JPEG or WebP picture nor a text file."
        ) from None
