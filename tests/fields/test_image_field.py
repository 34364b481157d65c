from __future__ import annotations

import copy
from typing import Any

import pytest
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.db.models import prefetch_related_objects
from django.template import Context, Template
from django.utils import timezone

from imagepipe.assets.models import AltText
from imagepipe.delivery.actions import WithdrawAsset
from imagepipe.delivery.profiles import UnknownProfile
from imagepipe.models import RightsRecord
from imagepipe.provenance.keys import load_keyring
from imagepipe.urlspec import plan, verify_url
from tests.delivery.library import Library, loose_image
from tests.fields.conftest import Published
from tests.fields.models import ReportPage, Slide, Teaser
from tests.templatetags.test_picture_tag import urls_in


def render(text: str, **context: Any) -> str:
    return Template("{% load imagepipe_tags %}" + text).render(Context(context))


def test_the_field_brings_its_second_column() -> None:
    for model, names in [
        (Teaser, ["hero", "hero_use", "side", "side_use"]),
        (ReportPage, ["hero", "hero_use"]),
        (Slide, ["picture", "picture_use"]),
    ]:
        present = [field.name for field in model._meta.local_fields]
        assert [present.count(name) for name in names] == [1] * len(names)


def test_what_is_said_of_a_use_is_kept(published: Published) -> None:
    image = published().image
    image.contextual_alt_text = "The harbour at dawn"
    image.contextual_crop = (0, 0, 5000, 10000)
    teaser = Teaser.objects.create(title="A", hero=image)
    assert teaser.hero_use == {"alt_text": "The harbour at dawn", "crop": [0, 0, 0.5, 1]}
    again = Teaser.objects.get()
    assert again.hero.pk == image.pk
    assert again.hero.contextual_alt_text == "The harbour at dawn"
    assert again.hero.contextual_crop == (0, 0, 5000, 10000)
    assert not again.hero.decorative
    assert again.side is None
    assert again.side_use == {}


def test_a_use_can_be_given_at_creation(published: Published) -> None:
    image = published().image
    teaser = Teaser(title="A", hero=image, hero_use={"decorative": True})
    assert teaser.hero.decorative
    assert Teaser(title="A", hero_id=image.pk, hero_use={"alt_text": "x"}).hero_use


def test_another_image_forgets_the_words_of_the_last(published: Published) -> None:
    first, second = published().image, published().image
    teaser = Teaser(title="A", hero=first, hero_use={"alt_text": "First"})
    teaser.hero = first
    assert teaser.hero_use == {"alt_text": "First"}
    teaser.hero = second
    assert teaser.hero_use == {}
    assert teaser.hero.contextual_alt_text is None
    teaser.hero_use = {"alt_text": "Second"}
    assert teaser.hero.contextual_alt_text == "Second"
    teaser.hero = None
    assert teaser.hero_use == {}


def test_uses_of_one_instance_stay_apart(published: Published) -> None:
    image = published().image
    for number in range(2):
        use = {"alt_text": f"Use {number}"}
        Teaser.objects.create(title=str(number), hero=image, side=image, hero_use=use)
    teasers = list(Teaser.objects.order_by("title"))
    prefetch_related_objects(teasers, "hero", "side")
    texts = [teaser.hero.contextual_alt_text for teaser in teasers]
    assert texts == ["Use 0", "Use 1"]
    assert [teaser.side.contextual_alt_text for teaser in teasers] == [None, None]
    assert [teaser.hero.contextual_alt_text for teaser in teasers] == texts
    other = copy.copy(teasers[0])
    other.hero_use = {"decorative": True}
    assert other.hero.decorative
    assert not teasers[0].hero.decorative


def test_a_deleted_image_leaves_the_object(published: Published) -> None:
    image = published().image
    teaser = Teaser.objects.create(title="A", hero=image, hero_use={"alt_text": "x"})
    image.delete()
    teaser.refresh_from_db()
    assert teaser.hero is None


def test_damaged_data_shows_the_picture_and_is_refused(published: Published) -> None:
    teaser = Teaser(title="A", hero=published().image, hero_use={"crop": [0, 0, 2, 1]})
    assert teaser.hero.contextual_crop is None
    with pytest.raises(ValidationError, match="between 0 and 1"):
        teaser.full_clean()


def test_the_tag_shows_the_use(published: Published) -> None:
    asset = published(1000, 600)
    use = {"alt_text": "Only the mast", "crop": [0.5, 0.25, 0.5, 0.5]}
    teaser = Teaser.objects.create(title="A", hero=asset.image, hero_use=use)
    html = render('{% picture t.hero "content" %}', t=Teaser.objects.get(pk=teaser.pk))
    assert 'alt="Only the mast"' in html
    last = verify_url(urls_in(html)[-1], load_keyring(), 0).transform
    assert last.crop == (5000, 2500, 5000, 5000)
    size = plan(1000, 600, last)
    assert (size.width, size.height) == (500, 300)
    assert 'width="500" height="300"' in html


def test_a_crop_and_a_ratio_go_together(published: Published) -> None:
    asset = published(1000, 600)
    use = {"crop": [0, 0, 0.5, 1]}
    teaser = Teaser(title="A", hero=asset.image, hero_use=use)
    html = render('{% picture t.hero "hero" %}', t=teaser)
    last = verify_url(urls_in(html)[-1], load_keyring(), 0).transform
    assert last.crop == (0, 0, 5000, 10000)
    assert plan(1000, 600, last).width == 500


def test_words_and_crop_of_a_use_are_not_given_to_its_stand_in(
    published: Published, library: Library
) -> None:
    asset, other = published(), published()
    RightsRecord.objects.filter(asset=asset).update(fallback=other)
    library.do(WithdrawAsset(asset, None, reason="test"))
    use = {"alt_text": "The withdrawn one", "crop": [0, 0, 0.5, 1]}
    html = render("{% picture t.hero %}", t=Teaser(hero=asset.image, hero_use=use))
    assert other.uid.hex in html
    assert "The withdrawn one" not in html
    crops = {verify_url(url, load_keyring(), 0).transform.crop for url in urls_in(html)}
    assert crops == {None}


def test_decorative_here(published: Published) -> None:
    teaser = Teaser(title="A", hero=published().image, hero_use={"decorative": True})
    assert 'alt=""' in render("{% picture t.hero %}", t=teaser)


def test_a_complete_picture_is_accepted(published: Published) -> None:
    Teaser(title="A", hero=published().image).full_clean()


def test_alternative_text_is_asked_for(published: Published) -> None:
    asset = published()
    AltText.objects.filter(asset=asset).delete()
    type(asset.image).objects.update(description="")
    teaser = Teaser(title="A", hero=asset.image)
    with pytest.raises(ValidationError) as caught:
        teaser.full_clean()
    assert set(caught.value.message_dict) == {"hero"}
    assert "mark it as decorative" in caught.value.message_dict["hero"][0]
    for use in ({"alt_text": "Boats"}, {"decorative": True}):
        teaser.hero_use = use
        teaser.full_clean()
    teaser.hero_use = {"alt_text": "  "}
    with pytest.raises(ValidationError):
        teaser.full_clean()


def test_clear_rights_are_asked_for(published: Published, settings: Any) -> None:
    asset = published()
    RightsRecord.objects.filter(asset=asset).update(persons="missing", rights_holder="")
    with pytest.raises(ValidationError) as caught:
        Teaser(title="A", hero=asset.image).full_clean()
    codes = [error.code for error in caught.value.error_dict["hero"]]
    assert codes == ["rights", "consent"]
    options = {"default": {"rights_required": False}}
    settings.IMAGEPIPE = {**settings.IMAGEPIPE, "PROFILES": options}
    Teaser(title="A", hero=asset.image).full_clean()


def test_ended_rights_are_refused(published: Published) -> None:
    asset = published()
    RightsRecord.objects.filter(asset=asset).update(valid_until=timezone.now())
    with pytest.raises(ValidationError, match="ended"):
        Teaser(title="A", hero=asset.image).full_clean()


def test_an_image_that_nobody_manages(library: Library, settings: Any) -> None:
    image = loose_image()
    with pytest.raises(ValidationError) as caught:
        Teaser(title="A", hero=image).full_clean()
    assert [error.code for error in caught.value.error_dict["hero"]] == ["alt", "rights"]
    settings.IMAGEPIPE = {
        **settings.IMAGEPIPE,
        "PROFILES": {"default": {"rights_required": False}},
    }
    image.description = "A grey square"
    image.save()
    Teaser(title="A", hero=image).full_clean()


def test_a_profile_that_does_not_exist(settings: Any) -> None:
    settings.IMAGEPIPE = {**settings.IMAGEPIPE, "PROFILES": {}}
    field = copy.copy(Teaser._meta.get_field("hero"))
    field.profile_name = "missing"
    [error] = [error for error in field.check() if error.id == "imagepipe.E008"]
    assert "known are default" in error.msg
    assert error.obj is field
    with pytest.raises(UnknownProfile):
        _ = field.profile


def test_pictures_cost_one_query_cold_and_none_warm_without_loading_an_image(
    published: Published, django_assert_num_queries: Any
) -> None:
    hero, side = published().image, published().image
    use = {"alt_text": "Here"}
    Teaser.objects.create(title="A", hero=hero, side=side, side_use=use)
    text = "{% picture page.hero %}{% picture page.side %}"
    cache.clear()
    page = Teaser.objects.get()
    with django_assert_num_queries(1):
        cold = render(text, page=page)
    page = Teaser.objects.get()
    with django_assert_num_queries(0):
        assert render(text, page=page) == cold
    assert cold.count("<picture>") == 2
    assert 'alt="Here"' in cold
    assert render(text, page=Teaser.objects.select_related("hero", "side").get()) == cold
    assert render("{% with hero=page.hero %}{% picture hero %}{% endwith %}", page=page) in cold


def test_an_image_that_nobody_manages_is_loaded_to_be_shown(library: Library) -> None:
    image = loose_image()
    Teaser.objects.create(title="A", hero=image)
    html = render("{% picture t.hero %}{% picture t.side %}", t=Teaser.objects.get())
    assert html.count("<img") == 1
    assert image.file.url in html
