from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from imagepipe.generation.capabilities import Capabilities
from imagepipe.generation.exceptions import InvalidRequest, UnsupportedRequest
from imagepipe.generation.recipe import Environment, Recipe
from imagepipe.generation.recording import build_recipe
from imagepipe.generation.request import (
    Adapter,
    Control,
    Mode,
    ModelReference,
    Reference,
    Request,
    Result,
)

MODEL = ModelReference("tiny", "models/tiny", "sd15")
START = {"mode": "image-to-image", "init_image": b"x"}


def request(**changes: Any) -> Request:
    values: dict[str, Any] = {
        "prompt": "a red apple",
        "model": "tiny",
        "seed": 7,
        "width": 64,
        "height": 64,
    }
    return Request(**(values | changes))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"prompt": ""}, "The prompt is empty. Say what the picture shall show."),
        ({"prompt": " \n\t"}, "The prompt is empty. Say what the picture shall show."),
        (
            {"prompt": "x" * 50_000},
            "The prompt has 50000 characters; at most 20000 are possible.",
        ),
        ({"prompt": "\ud800"}, "The prompt contains broken characters. Type it again."),
        ({"seed": -1}, f"The seed must be a whole number from 0 to {2**63 - 1}."),
        ({"seed": True}, f"The seed must be a whole number from 0 to {2**63 - 1}."),
        ({"width": 0}, "The width must be a whole number from 1 to 16384."),
        ({"height": 64.0}, "The height must be a whole number from 1 to 16384."),
        ({"steps": 0}, "The number of steps must be a whole number from 1 to 1000."),
        ({"guidance": float("nan")}, "The guidance must be a number from 0 to 100."),
        ({"guidance_rescale": 1.1}, "The guidance rescale must be a number from 0 to 1."),
        ({"mode": "video"}, "“video” is not a kind of generation."),
        ({"mode": "inpaint"}, "The mode inpaint needs a picture to start from."),
        ({"mode": "inpaint", "init_image": b"x"}, "Inpainting needs a mask."),
        ({"feather": 513}, "The feather must be a whole number from 0 to 512."),
        ({"offset": (1,)}, "The offset must be two whole numbers."),
        ({"offset": (1, -1)}, "The offset must be a whole number from 0 to 16384."),
        (
            {"adapters": (Adapter("a", "b"),) * 17},
            "17 adapters are too many; at most 16 are possible.",
        ),
    ],
    ids=lambda value: str(value)[:30],
)
def test_nonsense_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        request(**change)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Adapter("a", "b", kind="code"), "“code” is not a kind of adapter."),
        (
            lambda: Adapter("a", "b", weight=float("nan")),
            "The weight of an adapter must be a number from -10.0 to 10.0.",
        ),
        (
            lambda: Control("canny", b"x", MODEL, start=0.5, end=0.5),
            "A control picture has to end after its start.",
        ),
        (
            lambda: Control("canny", b"x", MODEL, end=1.5),
            "The end of a control picture must be a number from 0 to 1.",
        ),
        (
            lambda: Reference(b"x", weight=99),
            "The weight of a reference picture must be a number from -10.0 to 10.0.",
        ),
    ],
    ids=["kind", "nan", "order", "end", "reference"],
)
def test_conditions_that_make_no_sense_are_refused(
    make: Callable[[], object], message: str
) -> None:
    with pytest.raises(InvalidRequest) as caught:
        make()
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"controls": (Control("pose", b"x", MODEL),)},
            "Control pictures of kind “pose” are unknown. Known: canny.",
        ),
        (
            {"controls": (Control("canny", b"x", MODEL),), **START},
            "This model cannot use control pictures in the mode image-to-image.",
        ),
        (
            {"references": (Reference(b"x"),), **START},
            "This model cannot use reference pictures in the mode image-to-image.",
        ),
        (
            {"adapters": (Adapter("a", "b", kind="textual-inversion"),)},
            "This model cannot use adapters of kind “textual-inversion”.",
        ),
    ],
    ids=["kind", "control mode", "reference mode", "adapter kind"],
)
def test_conditions_are_refused_where_they_do_not_work(
    change: dict[str, Any], message: str
) -> None:
    text = frozenset({Mode.TEXT_TO_IMAGE})
    capabilities = Capabilities(
        modes=frozenset(Mode),
        supports_controls=True,
        supports_adapters=True,
        supports_references=True,
        control_kinds=("canny",),
        control_modes=text,
        reference_modes=text,
        adapter_kinds=("lora",),
    )
    capabilities.check(request())
    with pytest.raises(UnsupportedRequest) as caught:
        capabilities.check(request(**change))
    assert str(caught.value) == message


def test_edits_have_any_size() -> None:
    capabilities = Capabilities(modes=frozenset(Mode))
    capabilities.check(request(mode="inpaint", init_image=b"x", mask=b"x", width=61))
    capabilities.check(request(mode="outpaint", init_image=b"x", height=63))
    with pytest.raises(UnsupportedRequest, match="multiples of 8"):
        capabilities.check(request(width=61, **START))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"width": 60},
            "60×64 is not possible with this model: width and height must be multiples of 8.",
        ),
        ({"width": 512}, "512×64 is too large; at most 16384 pixels are possible."),
        (
            {"negative_prompt": "blur"},
            "This model does not understand negative prompts. Leave it empty.",
        ),
        ({"guidance_rescale": 0.5}, "This model has no guidance rescale. Set it to 0."),
        ({"scheduler": "X"}, "The scheduler “X” is unknown here. Known: A, B."),
        ({"steps": 151}, "151 steps are too many; at most 150 are possible."),
        (
            {"adapters": (Adapter("a", "b"),)},
            "This backend cannot use adapters with this model.",
        ),
        (
            {"references": (Reference(b"x"),)},
            "This backend cannot use reference pictures with this model.",
        ),
        (
            {"mode": "image-to-image", "init_image": b"x"},
            "This backend cannot do image-to-image.",
        ),
    ],
    ids=lambda value: str(value)[:30],
)
def test_capabilities_refuse_with_a_reason(change: dict[str, Any], message: str) -> None:
    capabilities = Capabilities(
        schedulers=("A", "B"), max_pixels=128 * 128, supports_negative=False
    )
    with pytest.raises(UnsupportedRequest) as caught:
        capabilities.check(request(**change))
    assert str(caught.value) == message


def test_recipe_of_a_result_holds_what_was_asked_and_found() -> None:
    asked = request(
        mode=Mode.IMAGE_TO_IMAGE,
        init_image=b"start",
        guidance=4,
        adapters=(Adapter("brand", "loras/brand", weight=0.5, sha256="cd"),),
        controls=(Control("canny", b"edges", MODEL, weight=0.8, end=0.5),),
        references=(Reference(b"style", 0.3),),
    )
    result = Result(b"png", 64, 64, 7, 0.1, Environment("fake", "1", model_sha256="ab"))

    recipe = build_recipe(asked, MODEL, result)

    assert recipe.model.sha256 == "ab"
    assert recipe.guidance == 4.0
    assert [(a.kind, a.slug, a.weight) for a in recipe.adapters] == [
        ("lora", "brand", 0.5),
        ("control-canny", "tiny", 0.8),
        ("reference", "", 0.3),
    ]
    assert dict(recipe.adapters[1].parameters)["end"] == 0.5
    assert len(recipe.sources) == 1
    assert Recipe.from_json(recipe.canonical()) == recipe
