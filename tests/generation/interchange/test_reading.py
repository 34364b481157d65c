from __future__ import annotations

import json
import zlib

import pytest

from imagepipe.generation.interchange.foreign import Addition, ForeignRecipe, UnreadableRecipe
from imagepipe.generation.interchange.reading import read, read_text
from tests.generation.interchange import samples

FILES = samples.all_files()


@pytest.mark.parametrize("name", sorted(FILES))
def test_every_file_of_every_tool_is_understood(name: str) -> None:
    recipe = read(FILES[name])
    assert recipe.tool.lower() == name.partition(".")[0].partition("-")[0]
    assert recipe.prompt.startswith(("a red teapot", "a fox"))
    if "flux" not in name:
        values = (recipe.seed, recipe.width, recipe.height, recipe.steps, recipe.guidance)
        assert values == (1234567890, 512, 768, 20, 7.5)
        assert recipe.negative_prompt.startswith("blurry")
        assert recipe.scheduler
    if "workflow" not in name and "flux" not in name:
        assert Addition("lora", recipe.additions[0].name, 0.8) == recipe.additions[0]
        assert recipe.additions[0].name.startswith("clay")


def test_infotext() -> None:
    assert read_text(samples.INFOTEXT) == ForeignRecipe(
        tool="A1111",
        prompt="a red teapot, studio light\non a table",
        negative_prompt="blurry, text",
        seed=1234567890,
        width=512,
        height=768,
        steps=20,
        guidance=7.5,
        strength=0.6,
        sampler="DPM++ 2M Karras",
        scheduler="DPMSolverMultistepScheduler",
        model_name="v1-5-pruned-emaonly",
        model_hash="6ce0161689",
        additions=(Addition("lora", "clay", 0.8),),
        left_over=(
            ("Clip skip", "2"),
            ("Lora hashes", "clay: 1a2b3c, other: 4d5e6f"),
            ("Version", "v1.10.1"),
        ),
    )


def test_a_comfyui_graph_is_read_before_its_sampler() -> None:
    recipe = read_text(json.dumps(samples.COMFY_PROMPT))
    assert recipe.prompt == "a red teapot, studio light"
    assert recipe.negative_prompt == "blurry, text"
    assert (recipe.sampler, recipe.scheduler) == (
        "euler_ancestral karras",
        "EulerAncestralDiscreteScheduler",
    )
    assert recipe.model_name == "SD15/v1-5-pruned-emaonly.safetensors"
    assert recipe.left_over == (("node", "Note"), ("node", "SaveImage"), ("node", "VAEDecode"))


def test_a_comfyui_graph_with_separate_guider_noise_and_sigmas() -> None:
    recipe = read_text(json.dumps(samples.COMFY_FLUX))
    assert (recipe.prompt, recipe.seed, recipe.steps) == ("a fox", 42, 28)
    assert (recipe.width, recipe.height, recipe.guidance) == (1024, 768, 3.5)
    assert (recipe.model_name, recipe.sampler) == ("flux1-dev.safetensors", "euler simple")
    assert recipe.negative_prompt == ""


def test_invokeai_and_swarmui_name_model_and_additions() -> None:
    invoke = read_text(json.dumps(samples.INVOKEAI))
    assert (invoke.model_name, invoke.model_hash) == ("stable-diffusion-v1-5", "9d5a7c")
    assert invoke.additions == (
        Addition("lora", "clay", 0.8), Addition("reference", "style", 0.5),
    )  # fmt: skip
    assert ("app_version", "5.6.0") in invoke.left_over
    swarm = read_text(json.dumps(samples.SWARMUI))
    assert (swarm.model_hash, swarm.sampler) == ("ab12cd34", "euler karras")
    assert ("date", "2025-01-31") in swarm.left_over


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a prompt and nothing else",
        "{",
        "[" * 100_000,
        '{"a":' * 100_000,
        "{}",
        '{"nodes": []}',
        '{"1": {"class_type": "SaveImage", "inputs": {}}}',
        '{"schema": 1, "environment": {}, "model": {}}',
        "Steps",
        "x" * 300_000,
    ],
)
def test_what_is_no_recipe_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(UnreadableRecipe) as refusal:
        read_text(text)
    assert str(refusal.value).endswith(".")


@pytest.mark.parametrize(
    "data", [b"\xff\xd8", b"\x89PNG\r\n\x1a\n", b"RIFF\0\0\0\0WEBP", b"\0\1\2\xff", b""]
)
def test_files_without_a_recipe_are_refused(data: bytes) -> None:
    with pytest.raises(UnreadableRecipe):
        read(data)


def test_a_bomb_is_not_unpacked() -> None:
    """100 MB of nothing in 100 kB: the reader stops at its bound."""
    packed = zlib.compress(b"a" * 100_000_000, 9)
    body = b"parameters\0\0" + packed
    chunk = len(body).to_bytes(4, "big") + b"zTXt" + body + b"\0\0\0\0"
    picture = samples.png()
    bomb = picture[:33] + chunk + picture[33:]
    with pytest.raises(UnreadableRecipe, match="no recipe"):
        read(bomb)


def test_values_out_of_bounds_are_left_out() -> None:
    text = "a\nSteps: 20, CFG scale: 1e400, Seed: -1, Size: 99999x0, Denoising strength: 7"
    recipe = read_text(text)
    assert (recipe.seed, recipe.width, recipe.height) == (None, None, None)
    assert (recipe.guidance, recipe.strength, recipe.steps) == (None, None, 20)
    graph = json.loads(json.dumps(samples.COMFY_PROMPT))
    graph["3"]["inputs"] |= {"seed": 10**40, "steps": True, "cfg": "NaN"}
    recipe = read_text(json.dumps(graph))
    assert (recipe.seed, recipe.steps, recipe.guidance) == (None, None, None)


def test_a_graph_that_bites_its_tail_ends() -> None:
    graph = json.loads(json.dumps(samples.COMFY_PROMPT))
    graph["4"]["inputs"]["again"] = ["3", 0]
    graph["12"]["inputs"] = {"value": ["7", 0]}
    assert read_text(json.dumps(graph)).seed == 1234567890


def test_control_characters_and_broken_letters_do_not_come_in() -> None:
    document = samples.INVOKEAI | {"positive_prompt": "a\u0000b\u009bc\ud800d\ne"}
    assert read_text(json.dumps(document)).prompt == "abcd\ne"
