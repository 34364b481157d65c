from __future__ import annotations

import base64
import io
import re
from pathlib import Path
from typing import Any

import pytest
import thash
from django.core.cache import cache
from django.template import Context, Template
from PIL import Image, ImageCms, ImageDraw

import imagepipe
from imagepipe.assets.actions import SetAltText
from imagepipe.conf import get_settings
from imagepipe.delivery.actions import PublishVersion
from imagepipe.delivery.colours import colour_words, find_placeholder, read_placeholder
from imagepipe.delivery.models import Publication
from imagepipe.delivery.presentation import Presentation
from imagepipe.delivery.presets import get_preset
from imagepipe.delivery.reconcile import reconcile_now
from imagepipe.delivery.representation import represent
from imagepipe.delivery.scenes import known_content, scene_name
from imagepipe.delivery.shown import show
from tests.delivery.library import Library, png


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def shore() -> Image.Image:
    """Blue above, a band of sand below."""
    image = Image.new("RGB", (300, 200), "#2060c0")
    ImageDraw.Draw(image).rectangle((0, 150, 300, 200), fill="#e0c080")
    return image


def test_the_dominant_colour_is_that_of_the_largest_part() -> None:
    assert find_placeholder(encoded(shore()))["colour"] == "#2060c0"
    assert find_placeholder(encoded(Image.new("L", (9, 9), 128)))["colour"] == "#808080"
    assert find_placeholder(encoded(Image.new("1", (9, 9))))["colour"] == "#000000"


def test_the_thumbhash_draws_the_picture_upright() -> None:
    turned = shore().transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise before it is shown
    found = find_placeholder(encoded(turned, "JPEG", exif=exif, quality=95))
    width, height, pixels = thash.thumb_hash_to_rgba(list(base64.b64decode(found["thumbhash"])))
    assert (width, height) == (32, 23)
    drawn = Image.frombytes("RGBA", (width, height), bytes(pixels))
    for point, expected in (((16, 4), (0x20, 0x60, 0xC0)), ((16, 21), (0xE0, 0xC0, 0x80))):
        colour = drawn.getpixel(point)
        assert isinstance(colour, tuple)
        assert all(abs(a - b) < 60 for a, b in zip(colour, expected, strict=False)), point


def test_transparent_pictures_have_no_colour() -> None:
    image = shore().convert("RGBA")
    image.putpixel((0, 0), (0, 0, 0, 0))
    image.paste((0, 0, 0, 0), (0, 0, 100, 100))
    found = find_placeholder(encoded(image))
    assert found["colour"] == ""
    assert read_placeholder(found) == found
    assert base64.b64decode(found["thumbhash"])[2] & 0x80


def test_colours_are_those_of_the_profile() -> None:
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    assert find_placeholder(encoded(shore(), icc_profile=lab))["colour"] == "#2060c0"
    assert find_placeholder(encoded(shore(), icc_profile=b"none"))["colour"] == "#2060c0"
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert find_placeholder(encoded(shore(), icc_profile=srgb))["colour"] == "#2060c0"


@pytest.mark.parametrize("size", [(1, 1), (3, 700), (700, 2)])
def test_any_shape(size: tuple[int, int]) -> None:
    found = find_placeholder(encoded(Image.new("RGB", size, "red")))
    assert read_placeholder(found) == found
    assert found["colour"] == "#ff0000"


DAMAGED = (
    None,
    [],
    {},
    {"thumbhash": "", "colour": "#000000"},
    {"thumbhash": "AAgCBYAAAAAA", "colour": "red"},
    {"thumbhash": '"><script>aaaa', "colour": ""},
)


@pytest.mark.parametrize("value", DAMAGED)
def test_damaged_values_are_not_read(value: Any) -> None:
    assert read_placeholder(value) is None


@pytest.mark.parametrize(
    ("colour", "words"),
    [
        ("#33aacc", "r3 ga bc"),
        ("#000000", "r0 g0 b0 dark"),
        ("#ffffff", "rf gf bf"),
        ("", ""),
        ("red", ""),
    ],
)
def test_words_of_colours(colour: str, words: str) -> None:
    assert colour_words(colour) == words


def test_the_style_sheet_knows_every_word() -> None:
    folder = Path(imagepipe.__file__).parent
    css = (folder / "static/imagepipe/picture.css").read_text()
    rules = re.findall(r'\[data-imagepipe-colour~="(\w+)"\] \{ ([-\w]+): (\d+); \}', css)
    names = {"r": "red", "g": "green", "b": "blue"}
    assert sorted(rules) == sorted(
        (f"{channel}{step:x}", f"--imagepipe-{name}", str(17 * step))
        for channel, name in names.items()
        for step in range(16)
    )


def picture(image: Any, options: str = "") -> str:
    text = "{% load imagepipe_tags %}{% picture image " + options + " %}"
    return Template(text).render(Context({"image": image}))


def test_pages_have_it_once_it_is_published(library: Library) -> None:
    asset = library.asset()
    version = library.version(asset, encoded(shore()))
    library.do(PublishVersion(version, None))
    asset.refresh_from_db()
    before = library.publication(asset).document
    assert "data-imagepipe-colour" not in picture(asset.image)
    assert "placeholder" not in before

    reconcile_now()

    after = library.publication(asset).document
    found = find_placeholder(encoded(shore()))
    assert after == {**before, "placeholder": found}
    assert known_content(version.sha256).placeholder == found
    assert ' data-imagepipe-colour="r2 g6 bb dark">' in picture(asset.image)
    assert "style=" not in picture(asset.image)
    for options in ("priority=True", "placeholder=False"):
        assert "data-imagepipe-colour" not in picture(asset.image, options)
    shown = represent(show({}, asset.image), Presentation(get_preset("card"), ""))
    assert shown is not None
    assert shown["placeholder"] == found


def test_another_picture_may_come(library: Library) -> None:
    assets = [library.asset(), library.asset()]
    for asset in assets:
        library.do(PublishVersion(library.version(asset, png(500, 400)), None))
        asset.refresh_from_db()
    reconcile_now()
    text = "{% load imagepipe_tags %}{% picture image dark_image=other %}"
    values = {"image": assets[0].image, "other": assets[1].image}
    assert "data-imagepipe-colour" not in Template(text).render(Context(values))
    assert "data-imagepipe-colour" in picture(assets[0].image, 'narrow="square"')


def test_it_stays_with_its_version(library: Library) -> None:
    asset = library.asset()
    library.do(PublishVersion(library.version(asset, encoded(shore())), None))
    reconcile_now()
    found = library.publication(asset).document["placeholder"]
    library.do(SetAltText(asset, None, texts={"en": "A shore"}))
    document = library.publication(asset).document
    assert document["placeholder"] == found
    assert document["alt"]["en"] == "A shore"
    library.do(PublishVersion(library.version(asset, png()), None))
    assert "placeholder" not in library.publication(asset).document
    reconcile_now()
    assert library.publication(asset).document["placeholder"] not in (None, found)


def test_documents_from_before_are_shown_and_completed(library: Library) -> None:
    asset = library.asset()
    library.do(PublishVersion(library.version(asset, encoded(shore())), None))
    reconcile_now()
    asset.refresh_from_db()
    document = library.publication(asset).document
    found = document.pop("placeholder")
    Publication.objects.update(document=document)
    cache.clear()
    assert "data-imagepipe-colour" not in picture(asset.image)
    shown = represent(show({}, asset.image), Presentation(get_preset("card"), ""))
    assert shown is not None
    assert shown["placeholder"] is None

    reconcile_now(asset=asset)

    assert library.publication(asset).document["placeholder"] == found
    assert "data-imagepipe-colour" in picture(asset.image)


def test_what_cannot_be_looked_at_has_none(library: Library, monkeypatch: Any) -> None:
    asset = library.asset()
    version = library.version(asset, encoded(shore()))
    monkeypatch.setattr("imagepipe.delivery.scenes.find_placeholder", lambda content: 1 / 0)
    library.do(PublishVersion(version, None))
    assert reconcile_now().failed == []
    assert "placeholder" not in library.publication(asset).document
    assert known_content(version.sha256).scene.subject is not None
    assert get_settings().private_storage.exists(scene_name(version.sha256))
