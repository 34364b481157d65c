"""The model and the prompt templates of the demonstration."""

from __future__ import annotations

from pathlib import Path

from django.core.management import call_command

from imagepipe.prompts.models import PromptTemplate
from imagepipe.registry.models import RegisteredModel
from website.demo.orders import MODEL, SMALL, TEMPLATE, TEMPLATE_NAME

OBJECTS = (
    "an alarm clock, an apple, a backpack, a balloon, a banana, a basketball, a bear, "
    "a bicycle, a birthday cake, a bus, "
    "a butterfly, a cactus, a camera, a car, a cat, a coffee cup, "
    "a crown, a dog, a doughnut, a fish, a fox, a frog, a gift, a guitar, a hamburger, "
    "a handbag, a house, an ice cream, a key, a lemon, a light bulb, a lion, a mushroom, "
    "an owl, a panda, a penguin, a pineapple, a rocket, a rose, a running shoe, a sailboat, "
    "a soccer ball, a star, a strawberry, a sunflower, a teapot, a teddy bear, a tree"
).split(", ")
COLOURS = (
    "a black, a blue, a brown, a green, a grey, an orange, a pink, a purple, a red, a teal, "
    "a white, a yellow"
).split(", ")
LIGHT = ("soft light", "warm light", "soft shadow", "clean product shot")
COMPANIONS = ("pocket-clip", "pocket-canny", "pocket-pastel", "pocket-mint")
FAMILIES = {"pocket-pastel": "sd", "pocket-mint": "sd"}
"""What the files of LoRA and embedding do not say."""
SIDE = 768
"""Pixels of the finished masters; the model draws 128."""


def register_models(folder: Path) -> RegisteredModel:
    """Register and allow all models that ship, where that is not done yet.

    Returns the one that draws.
    """
    for name in (MODEL, *COMPANIONS):
        _register(folder / name)
    return RegisteredModel.objects.get(slug=MODEL)


def _register(folder: Path) -> None:
    own = Path(__file__).with_name(f"{folder.name}.json")
    call_command(
        "imagepipe",
        "register-model",
        str(folder),
        name=folder.name,
        family=FAMILIES.get(folder.name),
        licence="MIT",
        card=folder / "README.md",
        parameters=own if own.is_file() else None,
        allow=True,
        verbosity=0,
        stdout=_Silence(),
    )


def create_templates(model: RegisteredModel) -> None:
    objects = {"name": "object", "label": "Object", "default": "a penguin", "choices": OBJECTS}
    colours = {
        "name": "colour",
        "label": "Background",
        "default": "a pink",
        "choices": COLOURS,
    }
    light = {"name": "light", "label": "Light", "default": "soft light", "choices": LIGHT}
    _template(
        TEMPLATE,
        model,
        name=TEMPLATE_NAME,
        description="One thing in the middle of a plain, coloured background.",
        subject="{object} on {colour} background",
        variables=[objects, colours],
    )
    nouns = [name.partition(" ")[2] for name in OBJECTS]
    _template(
        SMALL,
        model,
        name="Small object with room around it",
        description="For wide places: cut to 16:9, the thing is still whole.",
        subject="a small {object} on {colour} background",
        variables=[objects | {"default": "bicycle", "choices": nouns}, colours],
    )
    _template(
        "object-in-light",
        model,
        name="Object in a mood of light",
        description="As “Object on colour”, and the light is chosen too.",
        subject="{object} on {colour} background",
        light="{light}",
        variables=[objects, colours, light],
    )


def _template(slug: str, model: RegisteredModel, **values: object) -> None:
    sizes = {"model": model, "width": SIDE, "height": SIDE}
    PromptTemplate.objects.get_or_create(slug=slug, defaults=values | sizes)


class _Silence:
    def write(self, text: str) -> None:
        pass
