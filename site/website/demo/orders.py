"""The pictures of the demonstration: what is generated and which photographs come in."""

from __future__ import annotations

from dataclasses import dataclass

MODEL = "pocket-objects"
TEMPLATE = "object-on-colour"
TEMPLATE_NAME = "Object on colour"
SMALL = "small-object-on-colour"


@dataclass(frozen=True)
class Order:
    """A picture to be generated. ``alt``: texts by language."""

    key: str
    title: str
    object: str
    colour: str
    seed: int
    """Where the series of seeds begins."""
    alt: dict[str, str]
    candidates: int = 1
    template: str = TEMPLATE


@dataclass(frozen=True)
class Photograph:
    """A photograph that comes with scikit-image; ``file`` is its name there."""

    key: str
    title: str
    file: str
    alt: dict[str, str]
    licence: str
    rights_holder: str
    licence_url: str = "https://creativecommons.org/publicdomain/zero/1.0/"
    persons: str = "none"


PUBLIC_DOMAIN = "https://creativecommons.org/publicdomain/mark/1.0/"

ORDERS = (
    Order(
        "sailboat", "Sailboat", "sailboat", "a teal", 7,
        {"en": "A small sailing boat on calm water", "de": "Ein kleines Segelboot auf ruhigem Wasser"},
        candidates=4,
        template=SMALL,
    ),
    Order("rocket-toy", "Toy rocket", "rocket", "a black", 3,
          {"en": "A white and red toy rocket", "de": "Eine weiß-rote Spielzeugrakete"}, template=SMALL),
    Order("teapot", "Teapot", "a teapot", "a green", 5,
          {"en": "A round red teapot", "de": "Eine runde rote Teekanne"}),
    Order("doughnut", "Doughnut", "a doughnut", "a yellow", 2,
          {"en": "A glazed doughnut", "de": "Ein glasierter Donut"}),
    Order("hamburger", "Hamburger", "a hamburger", "a blue", 4,
          {"en": "A hamburger with salad and tomato", "de": "Ein Hamburger mit Salat und Tomate"}),
    Order("panda", "Panda", "a panda", "a green", 1,
          {"en": "The face of a panda", "de": "Das Gesicht eines Pandas"}),
    Order("fox", "Fox", "a fox", "a blue", 6,
          {"en": "The face of a fox", "de": "Das Gesicht eines Fuchses"}),
    Order("owl", "Owl", "an owl", "an orange", 8,
          {"en": "An owl with large yellow eyes", "de": "Eine Eule mit großen gelben Augen"}),
    Order("star", "Star", "a star", "a red", 2,
          {"en": "A yellow star with round points", "de": "Ein gelber Stern mit runden Zacken"}),
    Order("camera-toy", "Toy camera", "a camera", "a yellow", 3,
          {"en": "A grey toy camera", "de": "Eine graue Spielzeugkamera"}),
    Order("light-bulb", "Light bulb", "a light bulb", "a blue", 9,
          {"en": "A glowing light bulb", "de": "Eine leuchtende Glühbirne"}),
    Order("gift", "Gift", "a gift", "a purple", 4,
          {"en": "A wrapped gift with a bow", "de": "Ein eingepacktes Geschenk mit Schleife"}),
)  # fmt: skip

PHOTOGRAPHS = (
    Photograph("astronaut", "Eileen Collins", "astronaut.png",
               {"en": "Astronaut Eileen Collins in an orange suit before a flag and a shuttle model",
                "de": "Die Astronautin Eileen Collins im orangefarbenen Anzug vor Flagge und Shuttlemodell"},
               "Public domain", "NASA", PUBLIC_DOMAIN, persons="consent"),
    Photograph("rocket-launch", "Rocket on its pad", "rocket.jpg",
               {"en": "A rocket on its launch pad at dusk, four masts around it",
                "de": "Eine Rakete auf der Startrampe in der Dämmerung, vier Masten um sie herum"},
               "Public domain", "SpaceX", PUBLIC_DOMAIN),
    Photograph("chelsea", "Chelsea", "chelsea.png",
               {"en": "A ginger cat looks past the camera",
                "de": "Eine rot getigerte Katze schaut an der Kamera vorbei"},
               "CC0 1.0", "Stéfan van der Walt"),
    Photograph("coffee", "Coffee", "coffee.png",
               {"en": "An espresso in a white cup on a wooden table, a spoon beside it",
                "de": "Ein Espresso in weißer Tasse auf einem Holztisch, daneben ein Löffel"},
               "CC0 1.0", "Rachel Michetti"),
    Photograph("deep-field", "Deep field", "hubble_deep_field.jpg",
               {"en": "Thousands of galaxies on black sky", "de": "Tausende Galaxien am schwarzen Himmel"},
               "Public domain", "NASA, ESA", PUBLIC_DOMAIN),
    Photograph("coins", "Coins", "coins.png",
               {"en": "Rows of old Greek coins from Pompeii", "de": "Reihen alter griechischer Münzen aus Pompeji"},
               "No known restrictions", "Brooklyn Museum", "https://rightsstatements.org/vocab/NKC/1.0/"),
    Photograph("bricks", "Brick wall", "brick.png",
               {"en": "A wall of old bricks", "de": "Eine Wand aus alten Ziegeln"},
               "CC0 1.0", "CC0Textures"),
    Photograph("gravel", "Gravel", "gravel.png",
               {"en": "Grey gravel seen from above", "de": "Grauer Kies von oben"},
               "CC0 1.0", "CC0Textures"),
)  # fmt: skip
