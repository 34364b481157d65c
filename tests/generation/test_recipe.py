from __future__ import annotations

import dataclasses
import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagepipe.generation.canonical import canonical_json, parse_json
from imagepipe.generation.decoding import parameters
from imagepipe.generation.exceptions import InvalidRecipe
from imagepipe.generation.recipe import (
    AdapterFacts,
    Environment,
    ModelFacts,
    PostProductionFacts,
    Recipe,
    TemplateFacts,
)

texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=30)
whole = st.integers(0, 2**63 - 1)
floats = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e9, max_value=1e9)
scalars = st.none() | st.booleans() | texts | st.integers(-(2**63) + 1, 2**63 - 1) | floats
pairs = st.dictionaries(texts, scalars, max_size=4).map(parameters)
recipes = st.builds(
    Recipe,
    prompt=texts,
    negative_prompt=texts,
    mode=texts,
    seed=whole,
    width=whole,
    height=whole,
    steps=whole,
    guidance=floats,
    guidance_rescale=floats,
    strength=floats,
    model=st.builds(ModelFacts, texts, texts, texts, texts),
    environment=st.builds(Environment, *[texts] * 8, whole, libraries=pairs, settings=pairs),
    adapters=st.lists(
        st.builds(AdapterFacts, texts, texts, texts, floats, pairs), max_size=3
    ).map(tuple),
    sources=st.lists(texts, max_size=2).map(tuple),
    template=st.none() | st.builds(TemplateFacts, texts, texts, pairs),
    postproduction=st.lists(
        st.builds(PostProductionFacts, texts, texts, pairs), max_size=3
    ).map(tuple),
    feather=st.integers(0, 512),
    offset=st.just(()) | st.tuples(st.integers(0, 9999), st.integers(0, 9999)),
    warnings=st.lists(texts, max_size=2).map(tuple),
)
OLD_DOCUMENT = (
    '{"adapters":[],"environment":{"backend":"diffusers","backend_version":"1",'
    '"device":"","hardware":"","libraries":{"torch":"2.13.0"},"model_sha256":"",'
    '"platform":"","precision":"","scheduler":"","threads":1},"guidance":4,'
    '"guidance_rescale":0,"height":128,"mode":"text-to-image","model":{"family":"sd15",'
    '"location":"models/interim","sha256":"' + "ab" * 32 + '","slug":"interim-objects"},'
    '"negative_prompt":"","postproduction":[],"prompt":"Äpfel","schema":1,"seed":7,'
    '"sources":[],"steps":25,"strength":0.75,"template":null,"width":128}'
)
"""As it was written before inpainting: no feather, offset, warnings, settings."""


def example(**changes: Any) -> Recipe:
    recipe = Recipe(
        prompt="a red apple",
        seed=7,
        width=128,
        height=128,
        steps=25,
        guidance=4.0,
        model=ModelFacts("interim-objects", "models/interim", "ab" * 32, "sd15"),
        environment=Environment("diffusers", "1", libraries=parameters({"torch": "2.13.0"})),
    )
    return dataclasses.replace(recipe, **changes)


@given(recipes)
def test_round_trip_through_canonical_json(recipe: Recipe) -> None:
    again = Recipe.from_json(recipe.canonical())

    assert again == recipe
    assert again.canonical() == recipe.canonical()
    assert again.sha256 == recipe.sha256


@given(recipes, st.randoms(use_true_random=False))
def test_hash_does_not_depend_on_key_order(recipe: Recipe, rng: random.Random) -> None:
    assert Recipe.from_dict(_shuffled(recipe.to_dict(), rng)).sha256 == recipe.sha256


@given(recipes)
def test_hash_survives_plain_json(recipe: Recipe) -> None:
    travelled = json.loads(json.dumps(recipe.to_dict(), indent=2))
    assert Recipe.from_dict(travelled).sha256 == recipe.sha256


def test_canonical_text_is_exactly_this() -> None:
    recipe = example(guidance=4.0, strength=0.75, prompt="Äpfel")

    assert recipe.canonical().decode() == (
        '{"adapters":[],"environment":{"backend":"diffusers","backend_version":"1",'
        '"device":"","hardware":"","libraries":{"torch":"2.13.0"},"model_sha256":"",'
        '"platform":"","precision":"","scheduler":"","settings":{},"threads":1},"feather":0,'
        '"guidance":4,"guidance_rescale":0,"height":128,"mode":"text-to-image","model":{'
        '"family":"sd15","location":"models/interim","sha256":"' + "ab" * 32 + '",'
        '"slug":"interim-objects"},"negative_prompt":"","offset":[],"picture_sha256":"",'
        '"postproduction":[],"prompt":"Äpfel","schema":2,"seed":7,"sources":[],"steps":25,"strength":0.75,'
        '"template":null,"warnings":[],"width":128}'
    )


def test_old_documents_are_read_and_keep_their_identity() -> None:
    recipe = Recipe.from_json(OLD_DOCUMENT)

    assert (recipe.schema, recipe.feather, recipe.offset, recipe.warnings) == (1, 0, (), ())
    assert recipe.environment.settings == ()
    assert recipe.canonical().decode() == OLD_DOCUMENT
    assert dataclasses.replace(recipe, schema=2).sha256 != recipe.sha256


@pytest.mark.parametrize("change", [{"feather": 0}, {"warnings": []}])
def test_old_documents_have_no_new_fields(change: dict[str, Any]) -> None:
    document = json.loads(OLD_DOCUMENT) | change
    with pytest.raises(InvalidRecipe, match=f"Schema 1 has no “{next(iter(change))}”"):
        Recipe.from_dict(document)


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({"guidance": 4}, True),
        ({"guidance": 4.000001}, False),
        ({"seed": 8}, False),
        ({"prompt": "a red apple "}, False),
        ({"guidance_rescale": -0.0}, True),
    ],
)
def test_equal_meaning_equal_hash(change: dict[str, Any], same: bool) -> None:
    assert (example(**change).sha256 == example().sha256) is same


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": "7"}, "seed: must be a number"),
        ({"seed": 7.5}, "seed: must be a whole number"),
        ({"seed": True}, "seed: must be a number"),
        ({"seed": 10**400}, "seed: is out of range"),
        ({"prompt": None}, "prompt: must be text"),
        ({"prompt": "x" * 50_001}, "prompt: is longer than 50000 characters"),
        ({"prompt": "\ud800"}, "prompt: contains broken characters"),
        ({"guidance": float("nan")}, "guidance: is out of range"),
        ({"model": []}, "model: must be an object"),
        ({"adapters": {}}, "adapters: must be a list of at most 500 items"),
        ({"adapters": [0] * 501}, "adapters: must be a list of at most 500 items"),
        ({"sources": [1]}, "sources[0]: must be text"),
        ({"extra": 1}, "The document: has unknown keys: extra"),
        ({"schema": 3}, "Recipes of schema 3 cannot be read; this version reads 1 to 2"),
        ({"schema": 0}, "Recipes of schema 0 cannot be read; this version reads 1 to 2"),
        ({"schema": True}, "Recipes of schema True cannot be read; this version reads 1 to 2"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_malformed_documents_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidRecipe) as caught:
        Recipe.from_dict(example().to_dict() | change)
    assert message in str(caught.value)


def test_missing_and_nested_problems_name_the_place() -> None:
    document = example().to_dict()
    del document["model"]["sha256"]
    with pytest.raises(InvalidRecipe, match="model: lacks: sha256"):
        Recipe.from_dict(document)

    document = example().to_dict()
    document["environment"]["libraries"]["x"] = {"deep": 1}
    with pytest.raises(InvalidRecipe, match=r"environment\.libraries\.x: must be a number"):
        Recipe.from_dict(document)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b"\xff\xfe",
        b'{"seed":1,"seed":2}',
        b'{"guidance":NaN}',
        b"[" * 100_000,
        b'{"seed":' + b"9" * 10_000 + b"}",
        b" " * 1_000_001,
    ],
    ids=lambda data: repr(data[:12]),
)
def test_hostile_json_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidRecipe):
        Recipe.from_json(data)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=15,
)


@given(json_values)
def test_any_json_value_is_a_recipe_or_refused(value: Any) -> None:
    with pytest.raises(InvalidRecipe):
        Recipe.from_dict(value)


@given(st.sampled_from(sorted(example().to_dict())), json_values)
def test_any_changed_field_is_read_or_refused(name: str, value: Any) -> None:
    try:
        recipe = Recipe.from_dict(example().to_dict() | {name: value})
    except InvalidRecipe:
        return
    assert Recipe.from_json(recipe.canonical()) == recipe


def test_canonical_json_refuses_what_json_cannot_say() -> None:
    for value in (float("inf"), {1: 2}, {1, 2}, object()):
        with pytest.raises(ValueError):
            canonical_json(value)
    assert canonical_json({"b": [1.0, 0.5], "a": -0.0}) == b'{"a":0,"b":[1,0.5]}'
    assert parse_json(b'{"a": 1}') == {"a": 1}


def _shuffled(value: Any, rng: random.Random) -> Any:
    if isinstance(value, dict):
        keys = list(value)
        rng.shuffle(keys)
        return {key: _shuffled(value[key], rng) for key in keys}
    if isinstance(value, list):
        return [_shuffled(item, rng) for item in value]
    return value
