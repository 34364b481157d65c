"""Crops by name in the data of a use: field, block and form."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st
from lxml import html

from imagepipe.blocks import AIImageBlock
from imagepipe.delivery.uses import ImageUse, InvalidUse, crop_value, read_crops
from imagepipe.formfields import CropField
from imagepipe.widgets import CropInput
from tests.fields.conftest import Published
from tests.fields.models import Teaser

NAMED = {"hero": [0.0, 0.2, 1.0, 0.5625], "": [0.0, 0.0, 0.5, 1.0]}
HERO, ALL = (0, 2000, 10000, 5625), (0, 0, 5000, 10000)
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=12,
)


@pytest.fixture
def profile(settings: Any) -> None:
    options = {"presets": ["hero", "square", "content"]}
    settings.IMAGEPIPE = {**settings.IMAGEPIPE, "PROFILES": {"default": options}}


def test_a_use_is_written_and_read() -> None:
    use = ImageUse("Boats", False, ALL, {"hero": HERO})
    assert use.to_dict() == {"alt_text": "Boats", "crop": NAMED}
    assert ImageUse.from_dict(use.to_dict()) == use
    assert ImageUse.from_dict({"crop": [0, 0, 0.5, 1]}) == ImageUse(crop=ALL)
    assert crop_value(None, {"hero": HERO}) == {"hero": NAMED["hero"]}
    assert read_crops({"hero": [0, 0, 1, 1], "": None}) == (None, {})


@pytest.mark.parametrize(
    "value",
    [
        {"Hero": [0, 0, 0.5, 0.5]},
        {"hero": [0, 0, 2, 0.5]},
        {"hero": {"hero": [0, 0, 0.5, 0.5]}},
        {f"a{number}": None for number in range(31)},
        {"a" * 41: [0, 0, 0.5, 0.5]},
    ],
)
def test_what_is_no_crop_is_refused(value: Any) -> None:
    with pytest.raises(InvalidUse):
        read_crops(value)
    with pytest.raises(ValidationError):
        CropField(required=False).clean(value)


@given(JSON)
def test_any_json_is_a_crop_or_refused(value: Any) -> None:
    try:
        crop, crops = read_crops(value)
    except InvalidUse:
        return
    assert read_crops(crop_value(crop, crops)) == (crop, crops)


@pytest.mark.django_db
def test_a_field_keeps_crops_by_name(published: Published) -> None:
    image = published(1000, 800).image
    assert image is not None
    image.contextual_crop, image.contextual_crops = ALL, {"hero": HERO}
    teaser = Teaser(hero=image)
    assert teaser.hero_use == {"crop": NAMED}
    assert (teaser.hero.contextual_crop, teaser.hero.contextual_crops) == (ALL, {"hero": HERO})


@pytest.mark.django_db
def test_a_block_keeps_crops_by_name(published: Published) -> None:
    image = published(1000, 800).image
    assert image is not None
    block = AIImageBlock()
    stored = {"image": image.pk, "decorative": True, "alt_text": "", "crop": NAMED}
    value = block.to_python(stored)
    assert (value.contextual_crop, value.contextual_crops) == (ALL, {"hero": HERO})
    assert block.get_prep_value(value)["crop"] == NAMED
    assert json.loads(block.get_form_state(value)["crop"]) == NAMED


@pytest.mark.django_db
def test_the_form_offers_the_crops_of_the_profile_s_presets(profile: None) -> None:
    widget = CropInput()
    tree = html.fromstring(widget.render("hero-crop", NAMED, {"id": "id_crop"}))
    [value] = tree.xpath("//input[@name='hero-crop']/@value")
    assert json.loads(value) == NAMED
    options = [(item.get("value"), item.get("data-ratio")) for item in tree.xpath("//option")]
    assert options == [("", None), ("hero", "16:9"), ("square", "1:1")]
    [address] = tree.xpath("//@data-imagepipe-crop-url-value")
    assert address.endswith("/images/0/crops/")
