from __future__ import annotations

from typing import Any

import pytest
from django.template import Context, Template
from django.template.backends.jinja2 import Jinja2
from django.test import RequestFactory

from imagepipe.delivery.actions import PublishVersion
from tests.delivery.library import Library, png

CALLS = {
    '{% picture image "card" priority=True %}': '{{ picture(image, "card", priority=True) }}',
    '{% picture_card image %}': "{{ picture_card(image) }}",
    '{% picture_preload image "hero" %}': '{{ picture_preload(image, "hero") }}',
    "{% picture image %}{% picture_data %}": "{{ picture(image) }}{{ picture_data() }}",
}


@pytest.fixture
def jinja() -> Jinja2:
    options = {"extensions": ["imagepipe.jinja2tags.pictures"]}
    return Jinja2({"NAME": "jinja2", "DIRS": [], "APP_DIRS": False, "OPTIONS": options})


@pytest.mark.parametrize("call", CALLS)
def test_both_languages_write_the_same(library: Library, jinja: Jinja2, call: str) -> None:
    asset = library.asset(title="Boats & <nets>")
    library.do(PublishVersion(library.version(asset, png(900, 600)), None))
    asset.refresh_from_db()

    def values() -> dict[str, Any]:
        return {"image": asset.image, "request": RequestFactory().get("/")}

    expected = Template("{% load imagepipe_tags %}" + call).render(Context(values()))
    assert expected
    found = jinja.from_string(CALLS[call]).render(values())
    assert found == expected
