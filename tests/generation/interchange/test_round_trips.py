"""What is written for another tool says, read back, what our recipe says."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from imagepipe.generation.interchange import comfyui, infotext
from imagepipe.generation.interchange.own import describe
from imagepipe.generation.interchange.reading import read, read_text
from imagepipe.generation.interchange.samplers import COMFYUI, INFOTEXT
from imagepipe.generation.recipe import AdapterFacts, Environment, ModelFacts, Recipe
from tests.generation.interchange import samples

SCHEDULERS = sorted(set(INFOTEXT.values()))
letters = st.characters(exclude_categories=["C", "Z"], exclude_characters="<>")
word = st.text(letters, min_size=1, max_size=12)
words = st.lists(word, min_size=1, max_size=8).map(" ".join)
prompts = words.filter(lambda text: not text.startswith("Negative prompt:"))
slugs = st.from_regex(r"[a-z0-9]{1,12}(-[a-z0-9]{1,8})?", fullmatch=True)
finite = st.floats(0, 100, allow_nan=False)


@st.composite
def recipes(draw: st.DrawFn) -> Recipe:
    loras = draw(st.lists(st.tuples(slugs, st.integers(-20, 20)), max_size=3))
    edits = draw(st.booleans())
    return Recipe(
        prompt=draw(prompts),
        negative_prompt=draw(st.just("") | words),
        seed=draw(st.integers(0, 2**53 - 1)),
        width=draw(st.integers(1, 16_384)),
        height=draw(st.integers(1, 16_384)),
        steps=draw(st.integers(1, 1000)),
        guidance=draw(finite),
        guidance_rescale=draw(st.floats(0, 1, allow_nan=False)),
        mode="image-to-image" if edits else "text-to-image",
        strength=draw(st.floats(0, 1)) if edits else 1.0,
        model=ModelFacts(draw(slugs), "x", draw(st.sampled_from(["", "a1" * 32]))),
        environment=Environment("diffusers", "1", scheduler=draw(st.sampled_from(SCHEDULERS))),
        adapters=tuple(AdapterFacts("lora", slug, "", weight / 10) for slug, weight in loras),
    )


COMMON = (
    "prompt", "negative_prompt", "seed", "width", "height", "steps", "guidance", "scheduler",
    "additions",
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(recipes())
def test_infotext(recipe: Recipe) -> None:
    ours = describe(recipe)
    text = infotext.write(recipe)
    assert text.count("\n") == (2 if recipe.negative_prompt else 1)
    for theirs in (read_text(text), read(text.encode())):
        assert theirs.tool == "A1111"
        for name in (*COMMON, "strength", "model_name"):
            assert getattr(theirs, name) == getattr(ours, name), name
        assert theirs.model_hash == recipe.model.sha256[:10]
        assert (theirs.guidance_rescale or 0) == ours.guidance_rescale
        assert [name for name, _value in theirs.left_over] == ["Version"]


@settings(max_examples=60, deadline=None)
@given(recipes())
def test_comfyui(recipe: Recipe) -> None:
    ours = describe(recipe)
    theirs = read_text(json.dumps(comfyui.write(recipe)))
    assert theirs.tool == "ComfyUI"
    for name in COMMON[:-1]:
        assert getattr(theirs, name) == getattr(ours, name), name
    assert theirs.strength == recipe.strength
    assert theirs.model_name == f"{recipe.model.slug}.safetensors"
    loras = [(one.name.removesuffix(".safetensors"), one.weight) for one in theirs.additions]
    assert sorted(loras) == sorted((one.name, one.weight) for one in ours.additions)


@settings(max_examples=30, deadline=None)
@given(recipes())
def test_our_own(recipe: Recipe) -> None:
    assert read(recipe.canonical()) == describe(recipe)


def test_infotext_travels_in_a_picture() -> None:
    assert read(samples.png(parameters=samples.INFOTEXT)) == read_text(samples.INFOTEXT)


def test_the_tables_name_the_same_schedulers() -> None:
    assert set(INFOTEXT.values()) == set(COMFYUI.values())
