from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.template import Context, Template
from wagtail.admin.telepath import JSContext
from wagtail.blocks import StreamBlock
from wagtail.blocks.struct_block import StructBlockValidationError
from wagtail.fields import StreamField
from wagtail.images.blocks import ImageBlock

from imagepipe.assets.models import AltText
from imagepipe.blocks import AIImageBlock
from imagepipe.delivery.discovery import image_ids_of
from imagepipe.provenance.keys import load_keyring
from imagepipe.urlspec import verify_url
from tests.fields.conftest import Published
from tests.fields.models import ReportPage
from tests.templatetags.test_picture_tag import urls_in


def stored(pk: int, **value: Any) -> dict[str, Any]:
    return {"image": pk, "alt_text": "Mast", "decorative": False, **value}


def test_what_is_stored_comes_back(published: Published) -> None:
    block, image = AIImageBlock(), published().image
    data = stored(image.pk, crop=[0, 0, 0.5, 1])
    value = block.to_python(data)
    assert value.pk == image.pk
    assert (value.contextual_alt_text, value.decorative) == ("Mast", False)
    assert value.contextual_crop == (0, 0, 5000, 10000)
    assert block.get_prep_value(value) == data
    [again] = block.bulk_to_python([data])
    assert block.get_prep_value(again) == data
    assert block.get_prep_value(block.normalize(value)) == data
    assert block.get_form_state(value)["crop"] == "[0.0, 0.0, 0.5, 1.0]"


def test_either_block_reads_what_the_other_has_written(published: Published) -> None:
    pk = published().image.pk
    plain = ImageBlock().to_python(stored(pk, crop=[0, 0, 0.5, 1]))
    assert ImageBlock().get_prep_value(plain) == stored(pk)
    ours = AIImageBlock().to_python(stored(pk))
    assert AIImageBlock().get_prep_value(ours) == stored(pk, crop=None)
    chooser = AIImageBlock().to_python(pk)
    assert chooser.pk == pk
    assert chooser.contextual_crop is None


@pytest.mark.parametrize("crop", ["x", [1, 2], [0, 0, 2, 2], {"a": 1}, [0, 0, "1", 1], True])
def test_damaged_data_shows_the_whole_picture(published: Published, crop: Any) -> None:
    value = AIImageBlock().to_python(stored(published().image.pk, crop=crop))
    assert value.contextual_crop is None
    with pytest.raises(StructBlockValidationError) as caught:
        AIImageBlock().clean(value)
    assert set(caught.value.block_errors) == {"crop"}


def test_nothing_chosen() -> None:
    block = AIImageBlock(required=False)
    value = block.to_python({"image": None, "alt_text": "", "decorative": False, "crop": None})
    assert value is None
    assert block.clean(None) is None
    assert block.get_form_state(None)["crop"] == ""
    with pytest.raises(ValidationError):
        AIImageBlock().clean(None)


def test_alternative_text_of_the_asset_is_enough(published: Published) -> None:
    asset = published()
    block = AIImageBlock()
    value = block.to_python(stored(asset.image_id, alt_text=""))
    assert block.clean(value) is value
    AltText.objects.filter(asset=asset).delete()
    type(asset.image).objects.update(description="")
    with pytest.raises(StructBlockValidationError) as caught:
        block.clean(value)
    assert set(caught.value.block_errors) == {"alt_text"}
    block.defer_required_validation()
    assert block.clean(value) is value
    block.restore_deferred_validation()
    with pytest.raises(StructBlockValidationError):
        block.clean(value)


def test_the_profile_decides(published: Published, settings: Any) -> None:
    from imagepipe.models import RightsRecord

    image = published().image
    RightsRecord.objects.update(licence="")
    settings.IMAGEPIPE = {
        **settings.IMAGEPIPE,
        "PROFILES": {"loose": {"rights_required": False}},
    }
    loose, strict = AIImageBlock(profile="loose"), AIImageBlock()
    assert loose.clean(loose.to_python(stored(image.pk))).pk == image.pk
    with pytest.raises(StructBlockValidationError) as caught:
        strict.clean(strict.to_python(stored(image.pk)))
    assert set(caught.value.block_errors) == {"image"}


def test_an_unknown_profile_is_a_system_check_error() -> None:
    field = StreamField([("picture", AIImageBlock(profile="missing"))])
    nested = StreamField([("row", StreamBlock([("picture", AIImageBlock(profile="missing"))]))])
    for stream in (field, nested):
        ids = [error.id for error in stream.stream_block.check(field=stream)]
        assert ids == ["imagepipe.E008"]


def test_it_survives_a_migration() -> None:
    field = StreamField(
        [("picture", AIImageBlock(profile="hero", required=False, label="Photo"))]
    )
    _name, _path, args, kwargs = field.deconstruct()
    options = {"label": "Photo", "required": False, "profile": "hero"}
    assert kwargs["block_lookup"] == {0: ("imagepipe.blocks.AIImageBlock", [], options)}
    block = StreamField(*args, **kwargs).stream_block.child_blocks["picture"]
    assert isinstance(block, AIImageBlock)
    assert block.profile_name == "hero"
    assert block == field.stream_block.child_blocks["picture"]
    assert block != AIImageBlock(profile="other", required=False, label="Photo")
    assert list(block.child_blocks) == ["image", "decorative", "alt_text", "crop"]
    assert not block.child_blocks["image"].required


def test_the_page_editor_can_build_it(settings: Any) -> None:
    profiles = {"hero": {"ratios": [[21, 9]]}}
    settings.IMAGEPIPE = {**settings.IMAGEPIPE, "PROFILES": profiles}
    packed = json.dumps(JSContext().pack(AIImageBlock(profile="hero")))
    assert "Largest 21:9" in packed
    assert "imagepipe-choose#generate" in packed
    assert "wagtail.images.blocks.ImageBlock" in packed
    assert "imagepipe-crop" in packed


def test_the_tag_and_discovery(published: Published, django_assert_num_queries: Any) -> None:
    image = published(1000, 600).image
    page = ReportPage(title="Story")
    page.body = [("picture", AIImageBlock().to_python(stored(image.pk, crop=[0, 0, 0.5, 1])))]
    with django_assert_num_queries(0):
        assert image_ids_of(ReportPage(body=json.dumps(page.body.get_prep_value()))) == {
            image.pk
        }
    template = Template("{% load imagepipe_tags %}{% picture page.body.0.value %}")
    html = template.render(Context({"page": page}))
    assert 'alt="Mast"' in html
    assert verify_url(urls_in(html)[-1], load_keyring(), 0).transform.crop


def test_a_block_without_a_template_is_shown_from_the_edge(
    published: Published, settings: Any, django_assert_num_queries: Any
) -> None:
    settings.IMAGEPIPE = {**settings.IMAGEPIPE, "PROFILES": {"hero": {"presets": ["square"]}}}
    block = AIImageBlock(profile="hero")
    value = block.to_python(stored(published(900, 600).image_id))
    html = block.render(value)
    assert html.startswith("<picture>") and 'alt="Mast"' in html
    assert 'width="600" height="600"' in html
    with django_assert_num_queries(0):
        assert block.render(value) == html
    assert block.get_api_representation(value)["picture"]["width"] == 600
    assert "<picture>" in AIImageBlock(profile="gone").render(value)
