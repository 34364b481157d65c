from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from django.core.cache import cache
from django.template import Context, Engine, Template, TemplateSyntaxError
from django.test import RequestFactory
from django.utils import timezone, translation

from imagepipe.assets.actions import SetAltText
from imagepipe.assets.models import Asset
from imagepipe.delivery.actions import PublishVersion, WithdrawAsset
from imagepipe.delivery.discovery import image_ids_of
from imagepipe.provenance.keys import load_keyring
from imagepipe.review.actions import RejectVersion
from imagepipe.rights.actions import SetRights
from imagepipe.rights.models import RightsRecord
from imagepipe.urlspec import plan, verify_url
from imagepipe.workflow.uploads import adopt
from tests.delivery.library import GENERATED, Library, loose_image, png
from tests.templatetags.models import Article


@pytest.fixture(autouse=True)
def _cold_cache() -> None:
    cache.clear()


def render(text: str, **context: Any) -> str:
    template = Template("{% load imagepipe_tags %}" + text)
    with translation.override(context.pop("language", "en")):
        return template.render(Context(context))


def published(library: Library, width: int = 1000, height: int = 600, **fields: Any) -> Asset:
    asset = library.asset()
    version = library.version(asset, png(width, height), **fields)
    library.do(PublishVersion(version, None))
    asset.refresh_from_db()
    return asset


def urls_in(html: str) -> list[str]:
    return re.findall(r"https://edge\.example(/[^\s\"]+)", html)


def test_the_whole_element(library: Library, settings: Any) -> None:
    settings.IMAGEPIPE = {
        **settings.IMAGEPIPE,
        "PRESETS": {"hero": {"widths": [400, 800], "ratio": [2, 1], "sizes": "50vw"}},
    }
    asset = published(library)
    html = render('{% picture image "hero" class="wide" %}', image=asset.image)
    stem = f"{asset.uid.hex}.{asset.published_version.sha256[:16]}/harbour"
    found = urls_in(html)
    keyring = load_keyring()
    for url in found:
        verify_url(url, keyring, 0)

    def address(width: int, extension: str) -> str:
        end = f"/w_{width},h_{width // 2},c_fill,g_focal-faces-subject/{stem}.{extension}"
        [url] = {url for url in found if url.endswith(end)}
        return f"https://edge.example{url}"

    def srcset(extension: str) -> str:
        return f"{address(400, extension)} 400w, {address(800, extension)} 800w"

    assert html == (
        "<picture>"
        f'<source type="image/avif" srcset="{srcset("avif")}" sizes="50vw">'
        f'<source type="image/webp" srcset="{srcset("webp")}" sizes="50vw">'
        f'<img src="{address(800, "jpg")}" srcset="{srcset("jpg")}" sizes="50vw"'
        ' width="800" height="400" alt="Boats in the harbour" class="wide"'
        ' loading="lazy" decoding="async">'
        "</picture>"
    )


def test_nothing_is_enlarged_and_sizes_are_those_of_the_edge(library: Library) -> None:
    asset = published(library, 700, 333)
    html = render('{% picture image "hero" %}', image=asset.image)
    widths = [int(width) for width in re.findall(r" (\d+)w", html)]
    assert widths == [480, 592] * 3
    last = verify_url(urls_in(html)[-1], load_keyring(), 0)
    size = plan(700, 333, last.transform)
    assert f'width="{size.width}" height="{size.height}"' in html


def test_priority_loads_at_once(library: Library) -> None:
    html = render("{% picture image priority=True %}", image=published(library).image)
    assert 'loading="eager" fetchpriority="high"' in html
    assert "lazy" not in html


def test_generated_pictures_say_so(library: Library) -> None:
    image = published(library, source_type=GENERATED).image
    html = render('{% picture image figure_class="right" %}', image=image)
    assert html.startswith('<figure class="imagepipe-figure right"><picture>')
    assert html.endswith(
        '</picture><figcaption class="imagepipe-disclosure">AI-generated</figcaption></figure>'
    )


@pytest.mark.parametrize(
    ("language", "alt"),
    [
        ("en", "Boats in the harbour"),
        ("de", "Boote im Hafen"),
        ("de-at", "Boote im Hafen"),
        ("fr", "Boats in the harbour"),
    ],
)
def test_alternative_text_by_language(library: Library, language: str, alt: str) -> None:
    html = render("{% picture image %}", image=published(library).image, language=language)
    assert f'alt="{alt}"' in html


def test_alternative_text_of_this_use(library: Library) -> None:
    image = published(library).image
    assert 'alt="&lt;b&gt; &amp; boats"' in render(
        "{% picture image alt=words %}", image=image, words="<b> & boats"
    )
    assert 'alt=""' in render("{% picture image decorative=True %}", image=image)
    image.contextual_alt_text = "From the block"
    assert 'alt="From the block"' in render("{% picture image %}", image=image)
    image.decorative = True
    assert 'alt=""' in render("{% picture image %}", image=image)
    value = {"image": image, "alt_text": "From the struct", "decorative": False}
    image.decorative = False
    assert 'alt="From the struct"' in render("{% picture image %}", image=value)


def test_withdrawn_pictures_leave_nothing_behind(library: Library, settings: Any) -> None:
    asset = published(library)
    assert render("{% picture image %}", image=asset.image)
    library.do(WithdrawAsset(asset, None, reason="test"))
    assert render("{% picture image %}", image=asset.image) == ""
    settings.DEBUG = True
    assert "not published" in render("{% picture image %}", image=asset.image)


def test_expired_pictures_give_way_to_their_fallback(library: Library) -> None:
    asset, other = published(library), published(library)
    rights = RightsRecord.objects.get(asset=asset)
    rights.valid_until = timezone.now() + dt.timedelta(hours=1)
    rights.save()
    library.do(WithdrawAsset(asset, None, reason="test"))
    version = asset.versions.get()
    library.do(PublishVersion(version, None))
    assert asset.uid.hex in render("{% picture image %}", image=asset.image)
    later = timezone.now() + dt.timedelta(hours=2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("imagepipe.delivery.pictures.timezone.now", lambda: later)
        assert render("{% picture image %}", image=asset.image) == ""
        rights.fallback = other
        rights.save()
        library.do(WithdrawAsset(asset, None, reason="test"))
        html = render("{% picture image %}", image=asset.image)
    assert other.uid.hex in html
    assert asset.uid.hex not in html


def test_images_that_nobody_manages_are_shown_by_wagtail(library: Library) -> None:
    image = loose_image(png(900, 600), "Old & new")
    html = render('{% picture image "card" %}', image=image)
    assert html == (
        f'<img src="{image.file.url}" width="900" height="600" alt="Old &amp; new"'
        ' loading="lazy" decoding="async">'
    )
    assert image.renditions.count() == 0


def test_an_image_with_an_asset_but_nothing_published_shows_nothing(library: Library) -> None:
    image = loose_image()
    library.asset(image=image)
    assert render("{% picture image %}", image=image) == ""


def test_an_adopted_picture_is_shown_by_wagtail_until_it_is_published(library: Library) -> None:
    image = loose_image(png(900, 600))
    asset = adopt(image)
    html = render("{% picture image %}", image=image)
    assert f'src="{image.file.url}"' in html
    library.do(SetAltText(asset, None, texts={"en": "Old"}))
    library.do(SetRights(asset, None, values={"licence": "MIT", "rights_holder": "Ada"}))
    version = asset.versions.get()
    library.do(PublishVersion(version, None))
    assert asset.uid.hex in render("{% picture image %}", image=image)


@pytest.mark.parametrize("hide", ["reject", "expire"])
def test_an_adopted_picture_that_is_hidden_is_not_shown(library: Library, hide: str) -> None:
    image = loose_image()
    asset = adopt(image)
    if hide == "reject":
        library.do(RejectVersion(asset.versions.get(), None, reason="legal"))
    else:
        past = timezone.now() - dt.timedelta(days=1)
        library.do(SetRights(asset, None, values={"valid_until": past}))
    assert render("{% picture image %}", image=image) == ""


def test_what_is_no_image_shows_nothing(library: Library) -> None:
    assert render("{% picture image %}", image=None) == ""
    assert render("{% picture missing %}") == ""


MISTAKES = {
    'colour="red"': "colour",
    '"huge"': "known are",
    'widths="a few"': "widths",
    'ratio="16"': "two numbers",
    'fit="pad"': "ratio",
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_in_a_template_is_named_to_developers_only(
    library: Library, settings: Any, caplog: pytest.LogCaptureFixture, mistake: str
) -> None:
    image = published(library).image
    text = "{% picture image " + mistake + " %}"
    assert render(text, image=image) == render("{% picture image %}", image=image)
    assert MISTAKES[mistake] in caplog.text

    settings.DEBUG = True
    with pytest.raises(TemplateSyntaxError, match=MISTAKES[mistake]):
        render(text, image=image)


def test_the_line_of_the_mistake_is_shown(library: Library, settings: Any) -> None:
    settings.DEBUG = True
    engine = Engine(debug=True, libraries={"tags": "imagepipe.templatetags.imagepipe_tags"})
    template = engine.from_string('{% load tags %}\n\n{% picture image "huge" %}')
    with pytest.raises(TemplateSyntaxError) as caught:
        template.render(Context({"image": published(library).image}))
    assert caught.value.template_debug["line"] == 3


WRONG = {
    "{% picture 'harbour.jpg' %}": "'harbour.jpg' is not an image, but SafeString",
    "{% picture 7 %}": "'7' is not an image, but int",
    "{% picture asset.imago %}": "no 'asset.imago' here",
    "{% picture missing.image 'hero' %}": "no 'missing' here",
    "{% picture asset.image dark_image=nothing %}": "no 'nothing' here",
    "{% picture_card asset.slug %}": "'harbour' is not an image",
    "{% picture_preload asset.slug %}": "'harbour' is not an image",
}


@pytest.mark.parametrize("text", WRONG)
def test_what_is_no_image_is_named_to_developers_only(
    library: Library, settings: Any, text: str
) -> None:
    asset = published(library)
    shown = render("{% picture asset.image %}", asset=asset)
    assert render(text, asset=asset) == (shown if "dark_image" in text else "")
    settings.DEBUG = True
    engine = Engine(debug=True, libraries={"tags": "imagepipe.templatetags.imagepipe_tags"})
    template = engine.from_string("{% load tags %}\n\n" + text)
    with pytest.raises(TemplateSyntaxError, match=WRONG[text]) as caught:
        template.render(Context({"asset": asset}))
    assert caught.value.template_debug["line"] == 3


EMPTY = ["empty", "asset.gone", "asset.gone.image", "asset.x|default:''"]


@pytest.mark.parametrize("text", EMPTY)
def test_empty_is_no_mistake(settings: Any, text: str) -> None:
    settings.DEBUG = True
    assert render("{% picture " + text + " %}", empty=None, asset={"gone": None}) == ""


def test_the_first_large_picture_of_a_page_loads_at_once(library: Library) -> None:
    def loading(*tags: str) -> list[str]:
        text = "".join(f"{{% picture {tag} %}}" for tag in tags)
        html = render(text, **images, request=RequestFactory().get("/"))
        return re.findall('loading="([a-z]+)"', html)

    images = {"one": published(library).image, "small": published(library, 200, 100).image}
    assert loading("one", "one", "one") == ["eager", "lazy", "lazy"]
    assert loading("small", "one 'thumbnail'", "one") == ["lazy", "lazy", "eager"]
    assert loading("one priority=False", "one", "one") == ["lazy", "eager", "lazy"]
    said = "one priority=True"
    assert loading(said, "one", said) == ["eager", "lazy", "eager"]
    assert 'loading="lazy"' in render("{% picture one %}", **images)  # of an unknown page


def test_free_parameters_change_the_preset_for_one_use(library: Library) -> None:
    image = published(library).image
    html = render('{% picture image "hero" widths="300,500" ratio="1:1" %}', image=image)
    sizes = {url.split("/")[3] for url in urls_in(html)}
    assert sizes == {f"w_{side},h_{side},c_fill,g_focal-faces-subject" for side in (300, 500)}
    html = render('{% picture image "hero" ratio="none" widths=200 quality=40 %}', image=image)
    assert {url.split("/")[3] for url in urls_in(html)} == {"w_200,q_40"}


def test_sizes_auto_only_where_it_loads_lazily(library: Library) -> None:
    image = published(library).image
    lazy = render('{% picture image "hero" sizes="auto" %}', image=image)
    assert 'sizes="auto, 100vw"' in lazy
    eager = render('{% picture image "hero" sizes="auto" priority=True %}', image=image)
    assert 'sizes="100vw"' in eager


def test_preloading_fetches_what_the_picture_shows(library: Library) -> None:
    image = published(library).image
    link = render('{% picture_preload image "card" %}', image=image)
    picture = render('{% picture image "card" priority=True %}', image=image)
    assert link.startswith('<link rel="preload" as="image" type="image/avif" imagesrcset="')
    assert link.endswith(' fetchpriority="high">')
    avif = re.search(r'<source type="image/avif" srcset="([^"]+)" sizes="([^"]+)"', picture)
    assert avif is not None
    assert f'imagesrcset="{avif[1]}" imagesizes="{avif[2]}"' in link


def test_a_generated_picture_names_its_recipe(library: Library) -> None:
    image = published(library, source_type=GENERATED, recipe_sha256="ab" * 32).image
    assert f' data-recipe="{"ab" * 32}"' in render("{% picture image %}", image=image)


def test_nothing_to_preload_or_to_link_to(library: Library) -> None:
    asset = published(library)
    library.do(WithdrawAsset(asset, None, reason="test"))
    for tag in ("picture_preload image", "picture_card image", "picture_preload none"):
        assert render("{% " + tag + " %}", image=asset.image, none=None) == ""


def stream(items: list[dict[str, Any]]) -> Any:
    field = Article._meta.get_field("body")
    return field.to_python(items)


def test_images_of_a_page_are_found_without_loading_them(
    library: Library, django_assert_num_queries: Any
) -> None:
    article = Article(hero_id=1)
    article.body = stream(
        [
            {"type": "image", "value": 2, "id": "a"},
            {"type": "captioned", "value": {"image": 3, "alt_text": "x"}, "id": "b"},
            {"type": "captioned", "value": 4, "id": "c"},
            {"type": "gallery", "value": [{"type": "item", "value": 5, "id": "d"}, 6]},
            {
                "type": "columns",
                "value": {"left": [{"type": "image", "value": {"image": 7}}], "n": 9},
            },
            {"type": "text", "value": "8"},
            {"type": "gone", "value": 10},
        ]
    )
    with django_assert_num_queries(0):
        assert image_ids_of(article) == {1, 2, 3, 4, 5, 6, 7}


def test_twenty_pictures_cost_one_query_cold_and_none_warm(
    library: Library, django_assert_num_queries: Any
) -> None:
    images = [published(library, 400, 300).image for _number in range(20)]
    loose = loose_image()
    everything = [*images, loose]
    items = [{"type": "captioned", "value": {"image": image.pk}} for image in everything[1:]]
    text = "{% picture page.hero %}{% for b in images %}{% picture b 'card' %}{% endfor %}"

    def show() -> str:
        article = Article(hero=images[0])
        article.body = stream(items)
        request = RequestFactory().get("/")
        return render(text, page=article, images=everything[1:], request=request)

    cache.clear()
    with django_assert_num_queries(1):
        cold = show()
    with django_assert_num_queries(0):
        assert show() == cold
    assert cold.count("<picture>") == 20


def test_part_of_a_page_in_the_cache_is_still_one_query(
    library: Library, django_assert_num_queries: Any
) -> None:
    images = [published(library, 400, 300).image for _number in range(4)]
    cache.clear()
    render("{% picture image %}", image=images[0])
    article = Article(hero=images[0])
    article.body = stream([{"type": "image", "value": image.pk} for image in images[1:]])
    with django_assert_num_queries(1):
        render(
            "{% for image in images %}{% picture image %}{% endfor %}",
            page=article,
            images=images,
        )


def test_other_pages_pictures_can_be_loaded_at_once(
    library: Library, django_assert_num_queries: Any
) -> None:
    images = [published(library, 400, 300).image for _number in range(3)]
    cache.clear()
    with django_assert_num_queries(1):
        render(
            "{% prefetch_pictures images %}{% for i in images %}{% picture i %}{% endfor %}",
            images=images,
            request=RequestFactory().get("/"),
        )
