from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from wagtail.images import get_image_model
from wagtail.models import Page
from wagtail.test.utils.form_data import inline_formset, nested_form_data, streamfield

from imagepipe.assets.models import AltText, Asset
from tests.fields.conftest import Published
from tests.fields.models import ReportPage, Slide, Teaser


@pytest.fixture
def editor(admin_client: Client) -> Client:
    return admin_client


@pytest.fixture
def silent(published: Published) -> Asset:
    """A published picture without any alternative text."""
    asset = published()
    AltText.objects.filter(asset=asset).delete()
    get_image_model().objects.filter(pk=asset.image_id).update(description="")
    return asset


def form_data(**changes: Any) -> dict[str, Any]:
    data = {
        "title": "Story",
        "slug": "story",
        "body": streamfield([]),
        "slides": inline_formset([]),
        "hero": "",
        "hero-alt_text": "",
        "hero-crop": "",
        "comments": inline_formset([]),
    }
    return nested_form_data(data | changes)


def add(editor: Client, **changes: Any) -> Any:
    root = Page.objects.get(depth=1)
    url = reverse("wagtailadmin_pages:add", args=["imagepipe_fields", "reportpage", root.pk])
    return editor.post(url, form_data(**changes))


def errors_of(response: Any) -> dict[str, Any]:
    return dict(response.context["form"].errors)


def test_a_picture_and_its_use_are_saved(editor: Client, published: Published) -> None:
    image = published().image
    response = add(
        editor,
        **{
            "hero": str(image.pk),
            "hero-alt_text": " Boats at dawn ",
            "hero-crop": "[0.1, 0, 0.5, 1]",
            "action-publish": "1",
        },
    )
    assert response.status_code == 302
    page = ReportPage.objects.get()
    assert page.live
    assert page.hero_id == image.pk
    assert page.hero_use == {"alt_text": "Boats at dawn", "crop": [0.1, 0, 0.5, 1]}
    html = editor.get(reverse("wagtailadmin_pages:edit", args=[page.pk])).content.decode()
    assert 'value="Boats at dawn"' in html
    assert "[0.1, 0.0, 0.5, 1.0]" in html
    assert f'name="hero" value="{image.pk}"' in html


def test_a_draft_may_be_incomplete_but_not_what_is_published(
    editor: Client, silent: Asset
) -> None:
    data = {"hero": str(silent.image_id)}
    response = add(editor, **data, **{"action-publish": "1"})
    assert set(errors_of(response)) == {"hero"}
    assert "mark it as decorative" in response.content.decode()
    assert not ReportPage.objects.exists()

    response = add(editor, **data)
    assert response.status_code == 302
    page = ReportPage.objects.get()
    assert not page.live

    url = reverse("wagtailadmin_pages:edit", args=[page.pk])
    response = editor.post(url, form_data(**data, **{"action-publish": "1"}))
    assert set(errors_of(response)) == {"hero"}
    done = {"hero-decorative": "on", "action-publish": "1"}
    assert editor.post(url, form_data(**data, **done)).status_code == 302
    page.refresh_from_db()
    assert page.live
    assert page.hero_use == {"decorative": True}
    assert page.hero.decorative


def test_a_draft_of_a_live_page_may_be_incomplete(
    editor: Client, published: Published, silent: Asset
) -> None:
    live = published().image
    add(editor, **{"hero": str(live.pk), "action-publish": "1"})
    page = ReportPage.objects.get()
    url = reverse("wagtailadmin_pages:edit", args=[page.pk])
    assert editor.post(url, form_data(hero=str(silent.image_id))).status_code == 302
    page.refresh_from_db()
    assert page.hero_id == live.pk
    assert page.get_latest_revision_as_object().hero_id == silent.image_id


def test_clearing_the_picture_clears_its_use(editor: Client, published: Published) -> None:
    add(editor, **{"hero": str(published().image.pk), "hero-alt_text": "Words"})
    page = ReportPage.objects.get()
    url = reverse("wagtailadmin_pages:edit", args=[page.pk])
    assert editor.post(url, form_data(**{"action-publish": "1"})).status_code == 302
    page.refresh_from_db()
    assert (page.hero_id, page.hero_use) == (None, {})


@pytest.mark.parametrize(
    "crop",
    ["[0, 0, 2, 1]", "[0.9, 0, 0.5, 1]", "nonsense", "[NaN, 0, 1, 1]", "[1]", '{"a": 1}'],
)
def test_a_crop_that_is_none_is_refused(
    editor: Client, published: Published, crop: str
) -> None:
    data = {"hero": str(published().image.pk), "hero-crop": crop}
    response = add(editor, **data)
    assert "no part of the picture" in str(errors_of(response)["hero"])


def test_an_image_that_does_not_exist_is_refused(editor: Client, db: None) -> None:
    for value in ("999999", "x", "<script>"):
        assert set(errors_of(add(editor, hero=value))) == {"hero"}


def test_a_picture_in_the_stream(editor: Client, published: Published, silent: Asset) -> None:
    def block(**value: Any) -> dict[str, Any]:
        value = {"alt_text": "", "crop": "", **value}
        return {"body": streamfield([("picture", value)])}

    incomplete = block(image=str(silent.image_id))
    response = add(editor, **incomplete, **{"action-publish": "1"})
    assert set(errors_of(response)) == {"body"}
    assert "mark it as decorative" in response.content.decode()
    response = add(editor, **block(image=str(silent.image_id), crop="[0,0,3,1]"))
    assert "no part of the picture" in response.content.decode()

    assert add(editor, **incomplete).status_code == 302
    ReportPage.objects.get().delete()
    complete = block(image=str(silent.image_id), alt_text="Mast", crop="[0, 0, 0.5, 1]")
    assert add(editor, **complete, **{"action-publish": "1"}).status_code == 302
    page = ReportPage.objects.get()
    image = page.body[0].value
    assert image.contextual_alt_text == "Mast"
    assert image.contextual_crop == (0, 0, 5000, 10000)
    assert page.body.raw_data[0]["value"] == {
        "image": silent.image_id,
        "alt_text": "Mast",
        "decorative": False,
        "crop": [0, 0, 0.5, 1],
    }
    response = editor.get(reverse("wagtailadmin_pages:edit", args=[page.pk]))
    assert response.status_code == 200
    assert "[0.0, 0.0, 0.5, 1.0]" in response.content.decode()


def test_a_picture_in_an_inline_panel(editor: Client, silent: Asset) -> None:
    slide = {"picture": str(silent.image_id), "picture-alt_text": "", "picture-crop": ""}
    slides = inline_formset([slide])
    response = add(editor, slides=slides, **{"action-publish": "1"})
    assert "mark it as decorative" in response.content.decode()
    assert add(editor, slides=slides).status_code == 302
    ReportPage.objects.get().delete()
    slides = inline_formset([slide | {"picture-alt_text": "Mast"}])
    assert add(editor, slides=slides, **{"action-publish": "1"}).status_code == 302
    assert Slide.objects.get().picture_use == {"alt_text": "Mast"}


def test_a_picture_in_a_snippet(editor: Client, silent: Asset) -> None:
    url = reverse(Teaser.snippet_viewset.get_url_name("add"))
    data = {
        "title": "Teaser",
        "hero": str(silent.image_id),
        "hero-alt_text": "",
        "hero-crop": "",
        "side": "",
    }
    response = editor.post(url, data | {"action-publish": "1"})
    assert set(errors_of(response)) == {"hero"}
    assert editor.post(url, data).status_code == 302
    assert not Teaser.objects.get().live
    response = editor.post(url, data | {"hero-alt_text": "Mast", "action-publish": "1"})
    assert response.status_code == 302
    assert Teaser.objects.get(live=True).hero_use == {"alt_text": "Mast"}


def test_publishing_a_draft_later_asks_again(silent: Asset, db: None) -> None:
    from django.core.exceptions import ValidationError

    page = ReportPage(title="Story", slug="story", live=False)
    Page.objects.get(depth=1).add_child(instance=page)
    page.hero = silent.image
    revision = page.save_revision(clean=False)
    with pytest.raises(ValidationError):
        revision.publish()
    page.hero_use = {"alt_text": "Mast"}
    page.save_revision().publish()
    assert ReportPage.objects.get().live
