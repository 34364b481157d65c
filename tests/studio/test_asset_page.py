from __future__ import annotations

import datetime as dt
import io
import json

import pytest
from django.contrib.contenttypes.models import ContentType
from django.test import TestCase
from django.urls import reverse
from django.utils import timezone
from lxml import html
from PIL import Image
from pytest_django.asserts import assertContains, assertNotContains
from wagtail.models import Page

from imagepipe.assets import masters
from imagepipe.assets.actions import IngestVersion
from imagepipe.assets.inspection import inspect_picture
from imagepipe.assets.models import AltText, Asset, AssetVersion, Lineage
from imagepipe.audit.models import AuditEvent
from imagepipe.review.models import Review
from imagepipe.rights.actions import SetRights

pytestmark = pytest.mark.django_db


def url(name: str, *args) -> str:
    return reverse(f"imagepipe_admin:{name}", args=args)


def jpeg(colour: str = "teal", size: tuple[int, int] = (640, 480)) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, "JPEG")
    return file.getvalue()


@pytest.fixture
def draft(complete, editor) -> AssetVersion:
    """A second version that came as a file."""
    content = jpeg()
    return IngestVersion(
        complete,
        editor,
        content=content,
        facts=inspect_picture(content),
        origin=AssetVersion.Origin.REPLACED,
        parents=[(complete.versions.get(), Lineage.Relation.REPLACES)],
        file_name="harbour.jpg",
    ).execute()


def test_a_generated_picture_tells_its_recipe_and_provenance(admin, asset):
    page = admin.get(url("asset", asset.uid))
    assertContains(page, "a red teapot, soft light")
    assertContains(page, "Unchanged since it was signed here")
    assertContains(page, "Made by a generative model")
    assertContains(page, "can be placed on pages once it is published")
    version = asset.versions.get()
    response = admin.get(url("recipe", asset.uid, 1))
    assert response["Content-Disposition"].startswith("attachment")
    assert json.loads(response.content) == json.loads(json.dumps(version.recipe))
    assert admin.get(url("recipe", asset.uid, 7)).status_code == 404


def test_a_master_that_was_tampered_with_is_told(admin, asset, monkeypatch):
    version = asset.versions.get()
    content = bytearray(masters.read(version.sha256))
    position = content.rindex(b"IDAT") + 20
    content[position] ^= 1
    monkeypatch.setattr(masters, "read", lambda sha256: bytes(content))
    assertContains(admin.get(url("asset", asset.uid)), "Changed after signing")


def test_a_missing_master_is_told(admin, asset, private_folder):
    version = asset.versions.get()
    (private_folder / version.master_name).unlink()
    assertContains(admin.get(url("asset", asset.uid)), "missing from the storage")
    assert admin.get(url("version_picture", asset.uid, 1)).status_code == 404


def test_the_checklist_leads_to_the_forms(admin, asset):
    page = admin.get(url("asset", asset.uid))
    assertContains(page, f'href="{url("asset_rights", asset.uid)}">Record licence')
    assertContains(page, f'href="{url("asset_alt", asset.uid)}">Write an alternative')
    assertNotContains(page, url("version_publish", asset.uid, 1))


def test_the_checklist_links_only_where_one_may(browse, person, asset):
    page = browse(person("vera", "view")).get(url("asset", asset.uid))
    assertContains(page, "Record licence and rights holder.")
    assertNotContains(page, url("asset_rights", asset.uid))
    assertNotContains(page, url("asset_alt", asset.uid))


def test_rights_are_written_by_the_form(admin, asset):
    data = {
        "licence": "CC BY 4.0",
        "rights_holder": "Ada",
        "persons": "none",
        "markets": "de, AT",
        "channels": "web",
        "valid_from": "2026-01-01 00:00",
        "valid_until": "2027-01-01 00:00",
    }
    response = admin.post(url("asset_rights", asset.uid), data)
    assert response.url == url("asset", asset.uid)
    rights = Asset.objects.get().rights
    assert (rights.markets, rights.channels) == (["AT", "DE"], ["web"])
    assert timezone.localtime(rights.valid_until) == dt.datetime(
        2027, 1, 1, tzinfo=timezone.get_current_timezone()
    )
    page = admin.get(url("asset_rights", asset.uid))
    assertContains(page, 'value="AT, DE"')


def test_a_fallback_that_one_may_not_see_is_kept(browse, person, asset, editor, root):
    hidden = Asset.objects.create(
        title="Stand-in", slug="x", collection=root.add_child(name="Other")
    )
    values = {"licence": "MIT", "rights_holder": "Ada", "fallback": hidden}
    SetRights(asset, editor, values=values).execute()
    own = root.add_child(name="Own")
    Asset.objects.filter(pk=asset.pk).update(collection=own)
    client = browse(person("lee", "license", collection=own))
    data = {"licence": "MIT", "rights_holder": "Bob", "persons": "none"}
    client.post(url("asset_rights", asset.uid), data | {"fallback": str(hidden.pk)})
    rights = Asset.objects.get(pk=asset.pk).rights
    assert (rights.rights_holder, rights.fallback) == ("Bob", hidden)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"licence": ""}, "licence"),
        ({"markets": "Germany"}, "markets"),
        ({"channels": "<b>"}, "channels"),
        ({"valid_from": "2027-01-01", "valid_until": "2026-01-01"}, "valid_until"),
        ({"licence_url": "javascript:alert(1)"}, "licence_url"),
        ({"persons": "many"}, "persons"),
    ],
)
def test_wrong_rights_are_refused_at_the_field(admin, asset, change, field):
    data = {"licence": "MIT", "rights_holder": "Ada", "persons": "none"} | change
    response = admin.post(url("asset_rights", asset.uid), data)
    assert set(response.context["form"].errors) == {field}
    assert not hasattr(Asset.objects.get(), "rights")


def test_alternative_texts_by_language(admin, asset):
    data = {"alt_en": "A teapot", "alt_de": "Eine Kanne"}
    admin.post(url("asset_alt", asset.uid), data)
    assert Asset.objects.get().alt_texts() == {"en": "A teapot", "de": "Eine Kanne"}
    admin.post(url("asset_alt", asset.uid), data | {"alt_de": ""})
    assert Asset.objects.get().alt_texts() == {"en": "A teapot"}
    response = admin.post(url("asset_alt", asset.uid), {"alt_en": "x" * 251})
    assert set(response.context["form"].errors) == {"alt_en"}


def test_publishing_and_withdrawing(admin, complete):
    with TestCase.captureOnCommitCallbacks(execute=True):
        page = admin.post(url("version_publish", complete.uid, 1), follow=True)
    assertContains(page, "Version 1 was published.")
    page = admin.get(url("asset", complete.uid))
    complete.refresh_from_db()
    assert complete.published_version is not None
    assertContains(page, reverse("wagtailimages:edit", args=[complete.image_id]))
    refused = admin.post(url("asset_withdraw", complete.uid), {"reason": " "}, follow=True)
    assertContains(refused, "Say why the picture is withdrawn.")
    page = admin.post(url("asset_withdraw", complete.uid), {"reason": "Wrong pot"}, follow=True)
    assertContains(page, "Wrong pot")
    complete.refresh_from_db()
    assert complete.published_version is None


def test_publishing_too_early_says_what_is_missing(admin, asset):
    page = admin.post(url("version_publish", asset.uid, 1), follow=True)
    assertContains(page, "Record licence and rights holder.")
    asset.refresh_from_db()
    assert asset.published_version is None


def test_an_uploaded_draft_is_reviewed_on_the_page(admin, draft, complete):
    page = admin.get(url("asset", complete.uid) + "?version=2")
    assertContains(page, url("version_approve", complete.uid, 2))
    assertContains(page, "replaces")
    assertContains(page, "was not generated here")
    assertContains(page, "No content credential")
    page = admin.post(url("version_approve", complete.uid, 2), follow=True)
    assertContains(page, "Version 2 was approved.")
    again = admin.post(url("version_approve", complete.uid, 2), follow=True)
    assertContains(again, "not possible any more")
    page = admin.post(
        url("version_reject", complete.uid, 2), {"reason": "legal", "note": "no"}, follow=True
    )
    assertContains(page, "Version 2 was rejected.")
    assert Review.objects.filter(version=draft, reason="legal").exists()


def test_a_version_of_another_picture_or_none_is_not_found(admin, complete):
    assert admin.get(url("asset", complete.uid) + "?version=9").status_code == 404
    assert admin.get(url("asset", complete.uid) + "?version=x").status_code == 404
    assert admin.post(url("version_approve", complete.uid, 9)).status_code == 404


def test_the_audit_trail_tells_who_did_what_and_whether_it_is_whole(admin, complete):
    page = admin.get(url("asset", complete.uid))
    for words in ("New version", "Approved", "Alternative texts changed", "Rights changed"):
        assertContains(page, words)
    assertNotContains(page, "changed or removed afterwards")
    event = AuditEvent.objects.filter(chain=complete.uid.hex, sequence=2)
    super(type(event), event).update(actor_name="mallory")
    assertContains(admin.get(url("asset", complete.uid)), "Entry 2 of this record was changed")


def test_usage_is_told_with_titles_only_to_those_who_may_edit(admin, browse, person, published):
    from wagtail.models import ReferenceIndex

    home = Page.get_first_root_node().add_child(title="Home <1>", slug="first")
    image = published.image
    ReferenceIndex.objects.create(
        base_content_type=ContentType.objects.get_for_model(Page),
        content_type=ContentType.objects.get_for_model(Page),
        object_id=home.pk,
        to_content_type=ContentType.objects.get_for_model(image),
        to_object_id=image.pk,
        model_path="seo_title",
        content_path="seo_title",
        content_path_hash=ReferenceIndex._get_content_path_hash("seo_title"),
    )
    page = admin.get(url("asset", published.uid))
    assertContains(page, reverse("wagtailadmin_pages:edit", args=[home.pk]))
    assertContains(page, "Home &lt;1&gt;")
    page = browse(person("vera", "view")).get(url("asset", published.uid))
    assertContains(page, "(Private page)")
    assertNotContains(page, "Home &lt;1&gt;")


def test_thumbnails_are_small_and_kept(admin, complete, draft, private_folder):
    response = admin.get(url("version_thumbnail", complete.uid, 2))
    assert (response.status_code, response["Content-Type"]) == (200, "image/jpeg")
    assert max(Image.open(io.BytesIO(response.content)).size) == 480
    kept = list((private_folder / "thumbnails").rglob("*.jpg"))
    assert len(kept) == 1
    assert kept[0].read_bytes() == response.content
    assert admin.get(url("version_thumbnail", complete.uid, 2)).content == response.content


def test_pictures_come_with_safe_headers(admin, complete, candidate):
    for address in (
        url("version_picture", complete.uid, 1),
        url("candidate_picture", candidate.uid),
    ):
        response = admin.get(address)
        assert response["Content-Type"] == "image/png"
        assert response["X-Content-Type-Options"] == "nosniff"
        assert "private" in response["Cache-Control"]
        assert "public" not in response["Cache-Control"]
        assert response.content == masters.read(candidate.sha256)
        assert admin.post(address).status_code == 405


def test_a_type_that_is_no_picture_is_never_served(admin, asset):
    AssetVersion.objects.filter(asset=asset).update(mime="text/html")
    assert admin.get(url("version_picture", asset.uid, 1)).status_code == 404


def test_relatives_that_one_may_not_see_are_not_named(browse, person, asset, complete, root):
    secret = Asset.objects.create(
        title="Merger of next year", slug="x", collection=root.add_child(name="Board")
    )
    relative = IngestVersion(
        secret,
        None,
        content=jpeg(),
        facts=inspect_picture(jpeg()),
        origin=AssetVersion.Origin.UPLOADED,
        parents=[(asset.versions.get(), Lineage.Relation.EDIT)],
    ).execute()
    Lineage.objects.create(
        child=asset.versions.get(), parent=relative, relation=Lineage.Relation.VARIATION
    )
    own = root.add_child(name="Own")
    Asset.objects.filter(pk=asset.pk).update(collection=own)
    page = browse(person("vera", "view", collection=own)).get(url("asset", asset.uid))
    assertContains(page, asset.title)
    assertNotContains(page, "Merger of next year")
    page = browse(person("boss", "view")).get(url("asset", asset.uid))
    assertContains(page, "Merger of next year", count=2)


@pytest.mark.parametrize("number", ["9" * 5000, "²", "-1", "1.0"])
def test_a_version_number_that_is_none_is_not_found(admin, asset, number):
    assert admin.get(url("asset", asset.uid), {"version": number}).status_code == 404


def shown(client, address: str) -> dict[str, str]:
    """What a browser would send of the form, untouched."""
    form = html.fromstring(client.get(address).content).xpath("//main//form")[-1]
    hidden = {field.name: field.value or "" for field in form.xpath(".//input[@type='hidden']")}
    values = hidden | dict(form.form_values())
    return {name: value for name, value in values.items() if "csrf" not in name}


def test_two_people_with_the_same_form_keep_each_others_words(admin, asset):
    address = url("asset_alt", asset.uid)
    first, second = shown(admin, address), shown(admin, address)
    admin.post(address, first | {"alt_en": "A red teapot"})
    admin.post(address, second | {"alt_de": "Eine rote Teekanne"})
    assert asset.alt_texts() == {"en": "A red teapot", "de": "Eine rote Teekanne"}
    third = shown(admin, address)
    admin.post(address, third | {"alt_de": ""})
    assert asset.alt_texts() == {"en": "A red teapot"}


def test_two_people_with_the_same_rights_keep_each_others_changes(admin, asset, editor):
    values = {
        "licence": "MIT",
        "rights_holder": "Ada",
        "markets": ["AT", "DE"],
        "valid_until": timezone.now() + dt.timedelta(days=30),
    }
    SetRights(asset, editor, values=values).execute()
    address = url("asset_rights", asset.uid)
    first, second = shown(admin, address), shown(admin, address)
    admin.post(address, first | {"persons": "missing", "credit": "Photo: Ada"})
    admin.post(address, second | {"markets": "DE"})
    rights = Asset.objects.get(pk=asset.pk).rights
    assert (rights.persons, rights.credit) == ("missing", "Photo: Ada")
    assert (rights.markets, rights.licence) == (["DE"], "MIT")


def test_advice_on_alternative_texts(admin, asset):
    data = {"alt_en": "Image of a teapot", "alt_de": "IMG_2034.jpg"}
    page = admin.post(url("asset_alt", asset.uid), data, follow=True)
    assert asset.alt_texts() == {"en": "Image of a teapot", "de": "IMG_2034.jpg"}
    assertContains(page, "en: Screen readers say already that it is a picture.")
    assertContains(page, "de: This looks like the name of a file.")
    page = admin.post(url("asset_alt", asset.uid), {"alt_en": "A teapot"}, follow=True)
    assertNotContains(page, "en: ")


def test_an_outdated_text_is_pointed_out(admin, asset):
    admin.post(url("asset_alt", asset.uid), {"alt_en": "A teapot"})
    assertNotContains(admin.get(url("asset_alt", asset.uid)), "earlier version")
    before = asset.latest_version().created_at - dt.timedelta(days=1)
    AltText.objects.filter(asset=asset).update(updated_at=before, version=None)
    assertContains(admin.get(url("asset_alt", asset.uid)), "earlier version", count=1)
