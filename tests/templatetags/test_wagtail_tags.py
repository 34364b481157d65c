from __future__ import annotations

import re
from typing import Any

import pytest
from django.template import Context, Engine
from django.test import RequestFactory
from hypothesis import given
from hypothesis import strategies as st
from wagtail.images.models import Filter

from imagepipe.assets.models import Asset
from imagepipe.delivery.actions import PublishVersion, WithdrawAsset
from imagepipe.delivery.wagtail_filters import read_filter
from imagepipe.provenance.keys import load_keyring
from imagepipe.urlspec import verify_url
from imagepipe.workflow.uploads import adopt
from tests.delivery.library import Library, loose_image, png

ENGINE = Engine(
    libraries={"wagtailimages_tags": "imagepipe.templatetags.imagepipe_wagtailimages"}
)


def render(text: str, path: str = "/", **values: Any) -> str:
    template = ENGINE.from_string("{% load wagtailimages_tags %}" + text)
    return template.render(Context({"request": RequestFactory().get(path), **values}))


def published(library: Library) -> Asset:
    asset = library.asset()
    library.do(PublishVersion(library.version(asset, png(1200, 900)), None))
    asset.refresh_from_db()
    return asset


def paths(html: str) -> list[str]:
    found = re.findall(r"https://edge\.example(/[^\s\"]+)", html)
    for path in found:
        verify_url(path, load_keyring(), 0)
    return [f"{path.split('/')[3]} {path.rpartition('.')[2]}" for path in found]


def test_an_image(library: Library, django_assert_num_queries: Any) -> None:
    asset = published(library)
    text = '{% image image fill-400x400-c50 jpegquality-60 format-jpeg class="wide" %}'
    render(text, image=asset.image)
    with django_assert_num_queries(0):
        html = render(text, image=asset.image)
    assert paths(html) == ["w_400,h_400,c_fill,g_focal,q_60 jpg"]
    rest = re.sub(r'src="[^"]+" ', "", html)
    assert rest == '<img alt="Boats in the harbour" class="wide" height="400" width="400">'
    assert not asset.image.renditions.exists()


def test_srcset_and_picture(library: Library) -> None:
    asset = published(library)
    html = render('{% srcset_image image width-{300,600} sizes="50vw" %}', image=asset.image)
    assert paths(html) == ["w_300 auto", "w_300 auto", "w_600 auto"]
    assert "300w, " in html and "600w" in html
    html = render("{% picture image format-{avif,jpeg} width-{300,600} %}", image=asset.image)
    assert sorted(set(paths(html))) == ["w_300 avif", "w_300 jpg", "w_600 avif", "w_600 jpg"]
    assert '<source srcset="' in html and 'type="image/avif"' in html


def test_a_rendition_in_a_variable(library: Library) -> None:
    asset = published(library)
    html = render(
        "{% image image max-600x600 as it %}{{ it.width }}x{{ it.height }} {{ it.alt }} "
        "{{ it.background_position_style }} {{ it.url }}",
        image=asset.image,
    )
    assert html.startswith(
        "600x450 Boats in the harbour background-position: 50% 50%; https://edge.example/"
    )


def test_what_the_edge_does_not_deliver_stays_with_wagtail(library: Library) -> None:
    loose = loose_image(png(300, 200))
    adopt(loose)
    for image in (loose_image(png(300, 200)), loose):
        html = render("{% image image width-100 %}", image=image)
        assert "https://edge.example" not in html
        assert 'width="100"' in html
        assert image.renditions.count() == 1
    assert render("{% image image width-100 %}", image=None) == ""


def test_the_admin_stays_as_it_was(library: Library) -> None:
    asset = published(library)
    html = render("{% image image width-100 %}", path="/admin/images/", image=asset.image)
    assert "https://edge.example" not in html


def test_a_withdrawn_picture_is_not_addressed(library: Library) -> None:
    asset = published(library)
    library.do(WithdrawAsset(asset, None, reason="test"))
    asset.refresh_from_db()
    html = render("{% image image width-100 %}", image=asset.image)
    assert "https://edge.example" not in html


@pytest.mark.parametrize(
    ("spec", "size"),
    [
        ("max-300x300", (300, 225)),
        ("min-300x300", (400, 300)),
        ("height-90", (120, 90)),
        ("scale-50", (600, 450)),
        ("original", (1200, 900)),
        ("width-5000", (1200, 900)),
        ("fill-300x600|bgcolor-fff", (300, 600)),
    ],
)
def test_the_size_is_wagtails(library: Library, spec: str, size: tuple[int, int]) -> None:
    image = published(library).image
    html = render("{% image image " + spec.replace("|", " ") + " %}", image=image)
    assert paths(html)
    assert f' width="{size[0]}"' in html and f' height="{size[1]}"' in html
    own = image.get_rendition(spec)
    assert (own.width, own.height) == size


WITHOUT_WORD = (
    "fill-1x",
    "width-0",
    "format-gif",
    "width-10|width-20",
    "turn-9",
    "",
    "scale-0",
    "scale-101",
)


@pytest.mark.parametrize("spec", WITHOUT_WORD)
def test_no_word_for_it(spec: str) -> None:
    assert read_filter(spec, (1200, 900)) is None


@given(st.text("abcdefghilmnoprstwx-|0123456789.", max_size=40))
def test_no_filter_breaks_a_page(spec: str) -> None:
    read_filter(spec, (1200, 900))
    read_filter(Filter(spec).spec, (1, 1))
