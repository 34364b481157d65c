"""What no form of ours sends: JSON of importers and APIs, and bytes that no database takes."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.template import Context, Template
from wagtail.images import get_image_model

from imagepipe.blocks import AIImageBlock
from imagepipe.formfields import AIImageFormField
from imagepipe.widgets import ChosenImage
from tests.fields.conftest import Published


@pytest.mark.parametrize("text", [{"a": 1}, ["<script>"], 7, None])
@pytest.mark.parametrize("decorative", ["yes", None, [1]])
def test_a_block_of_strange_types_is_shown_and_checked(
    published: Published, text: Any, decorative: Any
) -> None:
    data = {
        "image": published().image.pk,
        "alt_text": text,
        "decorative": decorative,
        "crop": [0, 0, 1e308, float("inf")],
    }
    block = AIImageBlock()
    value = block.to_python(data)
    shown = Template("{% load imagepipe_tags %}{% picture image %}").render(
        Context({"image": value})
    )
    assert "<script>" not in shown
    with pytest.raises(ValidationError):
        block.clean(value)
    value = block.to_python(data | {"crop": None})
    block.clean(value)
    block.get_form_state(value)


def test_a_text_with_a_null_is_refused(published: Published) -> None:
    field = AIImageFormField(get_image_model().objects.all(), profile_name="default")
    chosen = ChosenImage(published().image.pk, {"alt_text": "a\0b", "decorative": False})
    with pytest.raises(ValidationError):
        field.clean(chosen)
