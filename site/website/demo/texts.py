"""What the demonstration's pages say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from website.demo.orders import ORDERS, PHOTOGRAPHS

Body = tuple[tuple[str, Any], ...]


@dataclass(frozen=True)
class Story:
    """One story in all languages; pictures are named by their key."""

    hero: str
    slugs: Mapping[str, str]
    heads: Mapping[str, tuple[str, str]]
    """Title and lead."""
    body: Mapping[str, Body]


HOME = {
    "en": (
        "Things worth a second look",
        "A small magazine of objects and views. Some were photographed, some were drawn by a "
        "computer; you can always tell which.",
    ),
    "de": (
        "Dinge für den zweiten Blick",
        "Ein kleines Magazin über Gegenstände und Ansichten. Manche sind fotografiert, manche "
        "hat ein Computer gezeichnet; man sieht immer, welche.",
    ),
}
PROMOTION = {
    "en": ("A gift for every door", "Twenty-four small pictures, one for each day of December."),
    "de": ("Ein Geschenk für jede Tür", "Vierundzwanzig kleine Bilder, eines für jeden Tag im Dezember."),
}  # fmt: skip

_GALLERY = tuple(picture.key for picture in (*ORDERS, *PHOTOGRAPHS))

STORIES = (
    Story(
        hero="rocket-toy",
        slugs={"en": "up-there", "de": "da-oben"},
        heads={
            "en": ("Up there", "From the toy shelf to the launch pad, and on to the oldest light."),
            "de": ("Da oben", "Vom Spielzeugregal zur Startrampe und weiter zum ältesten Licht."),
        },
        body={
            "en": (
                ("text", "<p>Every rocket begins as a toy. The one above was never built: a model drew it from one sentence. The one below stood on its pad, waiting for dusk.</p>"),
                ("figure", ("rocket-launch", "On the pad at dusk.")),
                ("heading", "Somebody has to fly it"),
                ("text", "<p>Eileen Collins was the first woman to command a Space Shuttle. Behind her: the flag, and a model of the ship.</p>"),
                ("figure", ("astronaut", "Eileen Collins, portrait by NASA.")),
                ("plain_image", "deep-field"),
            ),
            "de": (
                ("text", "<p>Jede Rakete beginnt als Spielzeug. Die obere wurde nie gebaut: Ein Modell hat sie aus einem Satz gezeichnet. Die untere stand auf der Rampe und wartete auf die Dämmerung.</p>"),
                ("figure", ("rocket-launch", "Auf der Rampe in der Dämmerung.")),
                ("heading", "Jemand muss sie fliegen"),
                ("text", "<p>Eileen Collins war die erste Frau, die ein Space Shuttle kommandierte. Hinter ihr: die Flagge und ein Modell des Schiffs.</p>"),
                ("figure", ("astronaut", "Eileen Collins, Porträt der NASA.")),
                ("plain_image", "deep-field"),
            ),
        },
    ),
    Story(
        hero="coffee",
        slugs={"en": "coffee-slowly", "de": "kaffee-mit-ruhe"},
        heads={
            "en": ("Coffee, slowly", "Ten minutes, one cup, and something round beside it."),
            "de": ("Kaffee mit Ruhe", "Zehn Minuten, eine Tasse und etwas Rundes daneben."),
        },
        body={
            "en": (
                ("text", "<p>The photograph above needs nothing. A doughnut would not hurt, though, so we asked for one.</p>"),
                ("figure", ("doughnut", "Drawn, not baked.")),
                ("text", "<p>For those who prefer tea, the kettle is on.</p>"),
                ("figure", ("teapot", "Room for six cups.")),
            ),
            "de": (
                ("text", "<p>Das Foto oben braucht nichts. Ein Donut würde aber nicht schaden, also haben wir einen bestellt.</p>"),
                ("figure", ("doughnut", "Gezeichnet, nicht gebacken.")),
                ("text", "<p>Wer lieber Tee mag: Das Wasser kocht schon.</p>"),
                ("figure", ("teapot", "Reicht für sechs Tassen.")),
            ),
        },
    ),
    Story(
        hero="chelsea",
        slugs={"en": "faces", "de": "gesichter"},
        heads={
            "en": ("Faces", "A cat that was there, and three animals that were not."),
            "de": ("Gesichter", "Eine Katze, die da war, und drei Tiere, die nicht da waren."),
        },
        body={
            "en": (
                ("text", "<p>Chelsea looked past the camera, as cats do. The others look straight at you, because nobody told them not to.</p>"),
                ("gallery", ("panda", "fox", "owl")),
            ),
            "de": (
                ("text", "<p>Chelsea sah an der Kamera vorbei, wie Katzen das tun. Die anderen schauen geradeaus, weil ihnen niemand etwas anderes gesagt hat.</p>"),
                ("gallery", ("panda", "fox", "owl")),
            ),
        },
    ),
    Story(
        hero="deep-field",
        slugs={"en": "twenty-things", "de": "zwanzig-dinge"},
        heads={
            "en": ("Twenty things", "All pictures of this issue on one page."),
            "de": ("Zwanzig Dinge", "Alle Bilder dieser Ausgabe auf einer Seite."),
        },
        body={"en": (("gallery", _GALLERY),), "de": (("gallery", _GALLERY),)},
    ),
)  # fmt: skip
