"""What `<img>` says of a picture's size, beside the pixels that a real edge delivers.

A sample in CI; ``IMAGEPIPE_CAMPAIGN_TRANSFORMS=2000`` is the whole campaign. Each transform
is drawn from ``IMAGEPIPE_CAMPAIGN_SEED`` and its number, which a failure names.
"""

from __future__ import annotations

import json
import os
import random
from dataclasses import dataclass

import pytest
from lxml import html
from PIL import Image

from imagepipe.delivery.markup import picture_html
from imagepipe.delivery.presentation import Presentation
from imagepipe.urlspec import Preset, Transform, format_transform, plan
from imagepipe.urlspec.transform import COMPASS, MAX_DIMENSION, REGION_SCALE, Region
from tests.edge.conftest import encoded

TRANSFORMS = int(os.environ.get("IMAGEPIPE_CAMPAIGN_TRANSFORMS", "80"))
SEED = int(os.environ.get("IMAGEPIPE_CAMPAIGN_SEED", "20261123"))
SIDEWAYS = (5, 6, 7, 8)
"""EXIF orientations that change the sides over, https://exiv2.org/tags.html 0x0112."""
EXTENSIONS = ("avif", "webp", "jpg")
TOO_LARGE = ("result-too-large", "not-encodable")
"""What a one pixel high picture enlarged to its box may come to."""
NARROW = ((1, 1), (1, 640), (640, 1), (3, 500), (617, 2))


@dataclass(frozen=True)
class Master:
    asset: str
    version: str
    width: int
    height: int

    @property
    def document(self):
        return {
            "asset": self.asset,
            "version": self.version,
            "slug": "harbour",
            "width": self.width,
            "height": self.height,
            "disclosure": False,
        }


@pytest.fixture
def masters(delivery, photo):
    """Twenty-four pictures of all orientations, some with transparency, some very narrow."""
    rng = random.Random(SEED)
    found = []
    for number in range(24):
        size = (rng.randint(2, 900), rng.randint(2, 900))
        size = NARROW[number] if number < len(NARROW) else size
        picture = photo.resize(size)
        upright, mime = size, "image/jpeg"
        if number % 3 == 0:
            picture.putalpha(Image.linear_gradient("L").resize(size))
            data, mime = encoded(picture, "PNG"), "image/png"
        elif number % 3 == 1:
            exif = Image.Exif()
            exif[0x0112] = orientation = 1 + number // 3
            data = encoded(picture, quality=80, exif=exif)
            upright = size[::-1] if orientation in SIDEWAYS else size
        else:
            data, mime = encoded(picture, "WEBP"), "image/webp"
        version = delivery.version(data, mime, upright=upright, parent=False)
        asset = delivery.publish(version)
        found.append(Master(asset, version.sha256[:16], *upright))
    return found


def region(rng: random.Random) -> Region | None:
    if rng.random() < 0.5:
        return None
    width, height = rng.randint(100, REGION_SCALE - 1), rng.randint(100, REGION_SCALE)
    return (
        rng.randint(0, REGION_SCALE - width),
        rng.randint(0, REGION_SCALE - height),
        width,
        height,
    )


def side(rng: random.Random) -> int:
    return rng.choice((rng.randint(1, 40), rng.randint(1, 700), rng.randint(600, 1400)))


def presentation(rng: random.Random) -> Presentation:
    """A place on a page, at several densities: its widths are device pixels."""
    fit = rng.choice(("fit", "fill", "pad", "crop"))
    across = rng.randint(1, 32)
    ratio = None if fit == "fit" else (across, rng.randint(1, 5 * across))
    gravity = "center" if fit == "fit" else rng.choice(COMPASS)
    css_width = rng.randint(1, 500)
    widths = tuple(sorted({css_width, css_width * 2, css_width * 3, side(rng)}))
    preset = Preset("drawn", widths, ratio, fit, gravity, quality=40)
    return Presentation(preset, "Boats", crop=region(rng))


def transform(rng: random.Random) -> Transform:
    fit = rng.choice(("fit", "fill", "pad", "crop"))
    width, height = side(rng), side(rng)
    if fit == "fit":
        width, height = rng.choice(((width, height), (width, None), (None, height)))
    return Transform(
        width=width,
        height=height,
        fit=fit,
        gravity="center" if fit == "fit" else rng.choice(COMPASS),
        crop=region(rng),
        upscale=fit != "crop" and rng.random() < 0.3,
        quality=40,
    )


def described(markup: str, base: str, rng: random.Random) -> tuple[str, int, int | None]:
    """One address out of the markup, with the width and height it is said to have."""
    element = html.fragment_fromstring(markup)
    image, sources = element.find(".//img"), element.findall(".//source")
    if rng.random() < 0.5:
        width, height = int(image.get("width")), int(image.get("height"))
        return image.get("src").removeprefix(base), width, height
    srcset = rng.choice([image, *sources]).get("srcset")
    address, width = rng.choice(srcset.split(", ")).rsplit(" ", 1)
    return address.removeprefix(base), int(width.removesuffix("w")), None


def test_pages_say_the_size_that_comes(delivery, masters, start_server, settings):
    server = start_server(avif_effort="0")
    base = f"http://127.0.0.1:{server.port}"
    settings.IMAGEPIPE = settings.IMAGEPIPE | {"KEYS": delivery.keys, "EDGE_URL": base}
    wrong, refused = [], 0
    for number in range(TRANSFORMS):
        rng = random.Random(f"{SEED}/{number}")
        master = rng.choice(masters)
        if number % 2:
            drawn = presentation(rng)
            markup = picture_html(master.document, drawn)
            address, width, height = described(markup, base, rng)
            told, scaled = f"{drawn.preset} {drawn.crop}", 0
        else:
            wanted = transform(rng)
            expected = plan(master.width, master.height, wanted)
            width, height = expected.width, expected.height
            scaled = max(expected.scale_width, expected.scale_height)
            told = format_transform(wanted)
            address = delivery.url(master.asset, told, rng.choice(EXTENSIONS))
        answer = server.get(address)
        if answer.status == 422 and scaled > MAX_DIMENSION:
            assert json.loads(answer.body)["reason"] in TOO_LARGE
            refused += 1
            continue
        got = answer.image.size if answer.status == 200 else answer.body[:200]
        if answer.status != 200 or got[0] != width or height not in (None, got[1]):
            wrong.append((number, (master.width, master.height), told, (width, height), got))
    assert wrong == []
    assert refused <= TRANSFORMS // 50
