from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.cache import cache
from django.template import Context, Template, TemplateSyntaxError
from django.template.backends.jinja2 import Jinja2
from django.test import RequestFactory

from imagepipe.assets.models import Asset
from imagepipe.delivery.actions import PublishVersion, WithdrawAsset
from imagepipe.delivery.variants import DARK_MEDIA, both
from imagepipe.provenance.keys import load_keyring
from imagepipe.urlspec import plan, verify_url
from tests.delivery.library import GENERATED, Library, loose_image, png
from tests.templatetags.models import Article

NARROW = "(max-width: 40rem)"
DARK = "(prefers-color-scheme: dark)"


@pytest.fixture(autouse=True)
def _cold_cache() -> None:
    cache.clear()


def render(text: str, **context: Any) -> str:
    return Template("{% load imagepipe_tags %}" + text).render(Context(context))


def published(library: Library, width: int = 1000, height: int = 600, **fields: Any) -> Asset:
    asset = library.asset()
    library.do(PublishVersion(library.version(asset, png(width, height), **fields), None))
    asset.refresh_from_db()
    return asset


def sources(html: str) -> list[dict[str, str]]:
    """The attributes of each `<source>`, in their order."""
    return [
        dict(re.findall(r' ([a-z]+)="([^"]*)"', tag))
        for tag in re.findall(r"<source[^>]*>", html)
    ]


def first_transform(source: dict[str, str]) -> str:
    path = source["srcset"].split()[0].removeprefix("https://edge.example")
    verify_url(path, load_keyring(), 0)
    return path.split("/")[3]


def test_another_preset_for_narrow_viewports(library: Library) -> None:
    image = published(library, 1000, 350).image
    html = render('{% picture image "hero" narrow="square" %}', image=image)
    *narrow, avif, webp = sources(html)
    assert [source["type"] for source in narrow] == ["image/avif", "image/webp", "image/jpeg"]
    for source in narrow:
        assert list(source) == ["media", "type", "srcset", "sizes", "width", "height"]
        assert source["media"] == NARROW
        assert source["sizes"] == "20rem"
        last = source["srcset"].split(", ")[-1].split()[0]
        transform = verify_url(
            last.removeprefix("https://edge.example"), load_keyring(), 0
        ).transform
        size = plan(1000, 350, transform)
        assert (source["width"], source["height"]) == (str(size.width), str(size.height))
        assert (size.width, size.height) == (350, 350)
    assert {"media", "width", "height"}.isdisjoint({*avif, *webp})
    assert html.startswith('<picture><source media="(max-width: 40rem)" type="image/avif"')
    plain = render('{% picture image "hero" %}', image=image)
    assert html.endswith(plain.removeprefix("<picture>"))


def test_another_image_and_other_media_for_narrow_viewports(library: Library) -> None:
    image, other = published(library).image, published(library, 600, 900)
    html = render(
        '{% picture image "content" narrow_media="(width < 600px)" narrow_image=other %}',
        image=image,
        other=other.image,
    )
    narrow = sources(html)[:3]
    assert {source["media"] for source in narrow} == {"(width < 600px)"}
    assert all(source["srcset"].count(other.uid.hex) == 3 for source in narrow)
    assert {(source["width"], source["height"]) for source in narrow} == {("600", "900")}
    assert all(other.uid.hex not in source["srcset"] for source in sources(html)[3:])


def test_another_image_in_the_dark(library: Library) -> None:
    image, dark = published(library).image, published(library, 800, 800)
    html = render(
        '{% picture image "hero" narrow="square" dark_image=dark %}',
        image=image,
        dark=dark.image,
    )
    found = sources(html)
    assert [source.get("media", "") for source in found[::3]] == [
        f"{NARROW} and {DARK}",
        DARK,
        NARROW,
        "",
    ]
    assert [dark.uid.hex in source["srcset"] for source in found] == [True] * 6 + [False] * 5
    transforms = [first_transform(source) for source in found[::3]]
    gravity = "c_fill,g_focal-faces-subject"
    square, wide = f"w_160,h_160,{gravity}", f"w_480,h_270,{gravity}"
    assert transforms == [square, wide, square, wide]


@pytest.mark.parametrize(
    ("queries", "expected"),
    [
        ("(a)", f"(a) and {DARK}"),
        ("(a), print", f"(a) and {DARK}, print and {DARK}"),
        ("(a) or (b)", f"((a) or (b)) and {DARK}"),
        ("not (a)", f"(not (a)) and {DARK}"),
    ],
)
def test_media_queries_are_joined(queries: str, expected: str) -> None:
    assert both(queries, DARK_MEDIA) == expected


def test_a_variant_by_ai_is_disclosed(library: Library) -> None:
    image = published(library).image
    made = published(library, source_type=GENERATED).image
    for option in ("narrow_image", "dark_image"):
        html = render("{% picture image " + option + "=made %}", image=image, made=made)
        assert html.startswith('<figure class="imagepipe-figure"><picture><source media=')
        assert html.count("AI-generated") == 1
        loose = loose_image(png(900, 600))
        html = render("{% picture image " + option + "=made %}", image=loose, made=made)
        assert html.startswith('<figure class="imagepipe-figure"><picture><source media=')


def test_withdrawn_variants_are_left_out(library: Library) -> None:
    image, gone = published(library).image, published(library)
    library.do(WithdrawAsset(gone, None, reason="test"))
    plain = render("{% picture image %}", image=image)
    text = "{% picture image narrow_image=gone dark_image=gone %}"
    assert render(text, image=image, gone=gone.image) == plain
    assert render(text, image=image, gone=None) == plain
    square = render('{% picture image narrow="square" %}', image=image)
    text = '{% picture image narrow="square" narrow_image=gone %}'
    assert render(text, image=image, gone=gone.image) == square
    text = "{% picture gone narrow_image=image dark_image=image %}"
    assert render(text, image=image, gone=gone.image) == ""


def test_variants_that_wagtail_shows(library: Library) -> None:
    image, loose = published(library).image, loose_image(png(900, 600))
    html = render("{% picture image dark_image=loose %}", image=image, loose=loose)
    assert html.startswith(
        f'<picture><source media="{DARK}" srcset="{loose.file.url}" width="900" height="600">'
        '<source type="image/avif"'
    )
    html = render('{% picture loose "card" dark_image=image %}', image=image, loose=loose)
    assert len(sources(html)) == 3
    assert f'<img src="{loose.file.url}" width="900" height="600"' in html
    assert html.endswith("></picture>")


def test_an_unknown_preset_for_narrow_viewports(
    library: Library, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    image = published(library).image
    text = '{% picture image narrow="huge" %}'
    assert render(text, image=image) == render("{% picture image %}", image=image)
    assert "known are" in caplog.text
    settings.DEBUG = True
    with pytest.raises(TemplateSyntaxError, match="known are"):
        render(text, image=image)


def test_variants_cost_no_query_of_their_own(
    library: Library, django_assert_num_queries: Any
) -> None:
    image, narrow, dark = (published(library).image for _number in range(3))
    text = (
        '{% picture page.hero narrow="square" dark_image=dark narrow_image=narrow %}'
        "{% picture other narrow_image=page.hero %}"
    )
    loose = loose_image()

    def show() -> str:
        article = Article(hero_id=image.pk)
        article.body = Article._meta.get_field("body").to_python(
            [{"type": "captioned", "value": {"image": loose.pk}}]
        )
        request = RequestFactory().get("/")
        values = {"page": article, "narrow": narrow, "dark": dark, "other": loose}
        return render(text, request=request, **values)

    with django_assert_num_queries(1):
        cold = show()
    with django_assert_num_queries(0):
        assert show() == cold
    assert cold.count("<source") == 9 + 2 + 3
    cache.clear()
    render("{% picture page.hero %}", page=Article(hero_id=image.pk))
    with django_assert_num_queries(1):
        assert show() == cold


def test_search_engines_hear_of_variants(library: Library) -> None:
    image, dark = published(library).image, published(library)
    html = render(
        "{% picture image dark_image=dark %}{% picture_data %}",
        image=image,
        dark=dark.image,
        request=RequestFactory().get("/"),
    )
    data = html.partition("<script")[2]
    assert data.count('"ImageObject"') == 2
    assert dark.uid.hex in data


def test_both_languages_write_the_same(library: Library) -> None:
    options = {"extensions": ["imagepipe.jinja2tags.pictures"]}
    jinja = Jinja2({"NAME": "jinja2", "DIRS": [], "APP_DIRS": False, "OPTIONS": options})
    values = {"image": published(library).image, "dark": published(library).image}
    expected = render('{% picture image "hero" narrow="square" dark_image=dark %}', **values)
    call = '{{ picture(image, "hero", narrow="square", dark_image=dark) }}'
    assert jinja.from_string(call).render(values) == expected


def links(html: str) -> list[dict[str, str]]:
    return [dict(re.findall(r' ([a-z]+)="([^"]*)"', tag)) for tag in html.split("<link")[1:]]


def test_preloading_fetches_exactly_what_the_picture_shows(library: Library) -> None:
    image, dark = published(library, 1000, 600).image, published(library, 800, 800).image
    options = 'image "hero" narrow="square" dark_image=dark %}'
    html = render("{% picture " + options, image=image, dark=dark)
    found = links(render("{% picture_preload " + options, image=image, dark=dark))
    shown = [source["srcset"] for source in sources(html) if source["type"] == "image/avif"]
    assert [link["imagesrcset"] for link in found] == shown
    one = f"(not ({NARROW} and {DARK}))"
    assert [link["media"] for link in found] == [
        f"{NARROW} and {DARK}",
        f"{DARK} and {one}",
        f"{NARROW} and {one} and (not {DARK})",
        f"{one} and (not {DARK}) and (not {NARROW})",
    ]
    [plain] = links(render('{% picture_preload image "hero" %}', image=image))
    assert "media" not in plain and plain["imagesrcset"] == shown[-1]


def test_nothing_is_preloaded_where_two_might_be(library: Library) -> None:
    image, strange = published(library).image, loose_image(png(900, 900))
    for text in (
        '{% picture_preload image "hero" narrow="square" narrow_media="screen and (a)" %}',
        '{% picture_preload image "hero" narrow_image=strange %}',
    ):
        assert render(text, image=image, strange=strange) == ""
