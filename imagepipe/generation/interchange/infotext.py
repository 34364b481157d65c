"""The text that A1111 and its relatives write into pictures: prompt, negative prompt, pairs.

The last part is one line of ``Key: value`` pairs separated by commas; values with commas,
colons or line breaks are JSON strings.
https://github.com/AUTOMATIC1111/stable-diffusion-webui (``modules/infotext_utils.py``)
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from imagepipe.generation.interchange import values
from imagepipe.generation.interchange.foreign import (
    MAX_ADDITIONS,
    Addition,
    ForeignRecipe,
    UnreadableRecipe,
)
from imagepipe.generation.interchange.samplers import INFOTEXT, sampler_of, scheduler_of
from imagepipe.generation.recipe import Recipe

NEGATIVE = "Negative prompt:"
MAX_TEXT = 200_000
MAX_PAIRS = 300
TAKEN = (
    "Steps", "Sampler", "Schedule type", "CFG scale", "Seed", "Size", "Model", "Model hash",
    "Denoising strength", "CFG Rescale",
)  # fmt: skip
_KEY = re.compile(r"\s*([A-Za-z0-9][\w \-/.()]{0,60}?)\s*:\s*")
_SIZE = re.compile(r"(\d{1,5})\s*[x×]\s*(\d{1,5})")
_LORA = re.compile(r"<(lora|lyco|hypernet):([^:<>]{1,200})(?::([^<>]{0,40}))?>")
_STEPS_LINE = re.compile(r"\s*Steps:\s*\d")


def parse(text: str) -> ForeignRecipe:
    """Return the recipe of an infotext. Raises :class:`UnreadableRecipe`."""
    if len(text) > MAX_TEXT:
        raise UnreadableRecipe(f"The text is longer than {MAX_TEXT} characters.")
    lines = text.replace("\r\n", "\n").strip().split("\n")
    last = next((i for i in range(len(lines) - 1, -1, -1) if _STEPS_LINE.match(lines[i])), None)
    if last is None:
        raise UnreadableRecipe(
            "The text has no line that begins with “Steps: ”, so it is no recipe of A1111."
        )
    pairs = dict(_pairs(", ".join(lines[last:])))
    body = "\n".join(lines[:last])
    positive, _found, negative = (
        body.partition(f"\n{NEGATIVE}")
        if not body.startswith(NEGATIVE)
        else ("", NEGATIVE, body.removeprefix(NEGATIVE))
    )
    prompt, additions = _without_additions(positive)
    sampler = " ".join(filter(None, (pairs.get("Sampler"), pairs.get("Schedule type"))))
    size = _SIZE.fullmatch(pairs.get("Size", ""))
    return ForeignRecipe(
        tool="A1111",
        prompt=values.words(prompt),
        negative_prompt=values.words(negative),
        seed=values.seed(pairs.get("Seed")),
        width=values.side(size[1]) if size else None,
        height=values.side(size[2]) if size else None,
        steps=values.steps(pairs.get("Steps")),
        guidance=values.guidance(pairs.get("CFG scale")),
        guidance_rescale=values.share(pairs.get("CFG Rescale")),
        strength=values.share(pairs.get("Denoising strength")),
        sampler=values.name(sampler),
        scheduler=scheduler_of(values.name(pairs.get("Sampler")), INFOTEXT),
        model_name=values.name(pairs.get("Model")),
        model_hash=values.name(pairs.get("Model hash")).lower(),
        additions=additions,
        left_over=values.left_over(pairs, TAKEN),
    )


def write(recipe: Recipe) -> str:
    """Return our recipe as an infotext. Sizes are those of the raw picture.

    What an infotext has no place for (hardware, libraries) stays in the JSON form.
    """
    additions = [
        f"<lora:{_plain(adapter.slug)}:{adapter.weight:g}>"
        for adapter in recipe.adapters
        if adapter.kind == "lora"
    ]
    prompt = " ".join([recipe.prompt, *additions])
    scheduler = recipe.environment.scheduler
    pairs: dict[str, object] = {
        "Steps": recipe.steps,
        "Sampler": sampler_of(scheduler, INFOTEXT) or scheduler,
        "CFG scale": repr(recipe.guidance),
        "Seed": recipe.seed,
        "Size": f"{recipe.width}x{recipe.height}",
        "Model hash": recipe.model.sha256[:10],
        "Model": recipe.model.slug,
    }
    if recipe.mode != "text-to-image":
        pairs["Denoising strength"] = repr(recipe.strength)
    if recipe.guidance_rescale:
        pairs["CFG Rescale"] = repr(recipe.guidance_rescale)
    pairs["Version"] = f"imagepipe recipe {recipe.sha256[:12]}"
    last = ", ".join(f"{key}: {_quoted(value)}" for key, value in pairs.items() if value != "")
    negative = [f"{NEGATIVE} {recipe.negative_prompt}"] if recipe.negative_prompt else []
    return "\n".join([prompt, *negative, last])


def _pairs(line: str) -> Iterator[tuple[str, str]]:
    """Walk the line once; a part that is no pair ends at its comma."""
    position, decoder = 0, json.JSONDecoder()
    for _pair in range(MAX_PAIRS):
        if position >= len(line):
            return
        match = _KEY.match(line, position)
        comma = line.find(",", position)
        if match is None or -1 < comma < match.end(1):
            if comma < 0:
                return
            position = comma + 1
            continue
        position = match.end()
        if line.startswith('"', position):
            try:
                value, position = decoder.raw_decode(line, position)
            except (ValueError, RecursionError):
                value = None
            if isinstance(value, str):
                yield match[1], value
                position = max(position, 0)
                comma = line.find(",", position)
                position = len(line) if comma < 0 else comma + 1
                continue
        comma = line.find(",", position)
        end = len(line) if comma < 0 else comma
        yield match[1], line[position:end].strip()
        position = end + 1


def _without_additions(prompt: str) -> tuple[str, tuple[Addition, ...]]:
    found = [
        Addition("lora" if kind != "hypernet" else "hypernet", values.name(name), _weight(rest))
        for kind, name, rest in _LORA.findall(prompt)[:MAX_ADDITIONS]
    ]
    lines = (" ".join(line.split()) for line in _LORA.sub("", prompt).split("\n"))
    return "\n".join(lines), tuple(found)


def _weight(rest: str) -> float:
    return values.weight(rest.partition(":")[0])


def _plain(text: str) -> str:
    return re.sub(r"[:<>]", "-", text)


def _quoted(value: object) -> str:
    text = str(value)
    return json.dumps(text, ensure_ascii=False) if re.search(r'[,:\n"]', text) else text
