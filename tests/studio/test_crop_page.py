"""The crops of a picture in the Studio."""

from __future__ import annotations

import io
import json

import pytest
from django.urls import reverse
from lxml import html
from PIL import Image
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from imagepipe.admin_urls import urlpatterns as studio
from imagepipe.assets.actions import IngestVersion
from imagepipe.assets.inspection import inspect_picture
from imagepipe.assets.models import AssetVersion
from imagepipe.conf import get_settings
from imagepipe.delivery.actions import PublishVersion
from imagepipe.delivery.crop_actions import RemoveCrop, SetCrop
from imagepipe.delivery.crop_models import NamedCrop, crops_of
from imagepipe.delivery.images import project_quietly
from imagepipe.delivery.scenes import scene_name
from imagepipe.review.actions import ApproveVersion

pytestmark = pytest.mark.django_db


def url(name: str, *args) -> str:
    return reverse(f"imagepipe_admin:{name}", args=args)


@pytest.fixture
def version(complete, editor) -> AssetVersion:
    """800 × 400: black, white on the right."""
    image = Image.new("RGB", (800, 400))
    image.paste((255, 255, 255), (400, 0, 800, 400))
    file = io.BytesIO()
    image.save(file, "PNG")
    content = file.getvalue()
    facts = inspect_picture(content)
    return IngestVersion(
        complete, editor, content=content, facts=facts, origin="replaced"
    ).execute()


def image_of(version: AssetVersion) -> int:
    """Key of the image that publication makes."""
    ApproveVersion(version, None).execute()
    PublishVersion(version, None).execute()
    project_quietly(version.asset.uid)
    version.asset.refresh_from_db()
    return version.asset.image_id


def put_faces(version: AssetVersion, *faces: tuple[float, ...]) -> None:
    """As if they had been found."""
    storage, name = get_settings().private_storage, scene_name(version.sha256)
    storage.delete(name)
    known = {"faces": faces, "subject": None, "placeholder": None}
    storage.save(name, io.BytesIO(json.dumps(known).encode()))


def address(version: AssetVersion, name: str = "square", page: str = "crop", *args) -> str:
    return url(page, version.asset.uid, version.number, name, *args)


PARTS = {"left": "50", "top": "0", "width": "50", "height": "100"}


def test_a_crop_is_saved_by_numbers_alone_and_comes_back(admin, version):
    assertContains(admin.get(url("asset", version.asset.uid)), "Automatic")
    response = admin.post(address(version), PARTS)
    assertRedirects(response, address(version))
    assert crops_of(version) == {"square": (5000, 0, 5000, 10000)}
    page = admin.get(address(version))
    tree = html.fromstring(page.content)
    numbers = {name: tree.xpath(f"//input[@name='{name}']/@value")[0] for name in PARTS}
    assert {name: float(value) for name, value in numbers.items()} == {
        name: float(value) for name, value in PARTS.items()
    }
    details = json.loads(tree.xpath("//script[@id='imagepipe-crop-details']/text()")[0])
    assert details["size"] == [800, 400]
    assert details["shapes"]["square"]["own"] == [0.5, 0, 0.5, 1]
    assert (len(details["grid"][0]), len(details["grid"])) == (64, 32)
    assert (details["grid"][0][0], details["grid"][0][-1]) == (0, details["scale"])
    listed = admin.get(url("asset", version.asset.uid), {"version": version.number})
    assertContains(listed, "[5000, 0, 5000, 10000]")


@pytest.mark.parametrize(
    "wrong",
    [{"left": ""}, {"left": "-1"}, {"width": "101"}, {"width": "nan"}, {"height": "1e999"}],
)
def test_what_is_no_part_of_the_picture_is_refused_beside_the_field(admin, version, wrong):
    page = admin.post(address(version), PARTS | wrong)
    assertContains(page, "Nothing was saved.")
    assert html.fromstring(page.content).xpath("//p[@class='error-message']")
    assert not NamedCrop.objects.exists()


def test_earlier_crops_are_restored_and_a_crop_is_removed(admin, version):
    admin.post(address(version), PARTS)
    admin.post(address(version), PARTS | {"left": "0"})
    [first] = NamedCrop.objects.exclude(replaced_at=None)
    restore = address(version, "square", "crop_restore", first.pk)
    assertContains(admin.get(address(version)), restore)
    page = admin.post(restore, follow=True)
    assertContains(page, "The earlier crop is in use again.")
    assert crops_of(version) == {"square": (5000, 0, 5000, 10000)}
    page = admin.post(address(version, "square", "crop_remove"), follow=True)
    assertContains(page, "The crop was removed.")
    assert crops_of(version) == {} and NamedCrop.objects.count() == 3
    page = admin.post(address(version, "square", "crop_remove"), follow=True)
    assertContains(page, "has no crop of this name")
    assert admin.post(address(version, "hero", "crop_restore", first.pk)).status_code == 404


def test_a_face_that_is_cut_and_a_headline_that_cannot_be_read_are_told(
    admin, version, settings
):
    zone = {"zone": [0, 0.5, 1, 0.5], "colour": "#ffffff"}
    shape = {"square": {"ratio": [1, 1], "headline": zone}}
    settings.IMAGEPIPE = {**settings.IMAGEPIPE, "CROPS": shape}
    put_faces(version, (0.4, 0.2, 0.2, 0.4))
    page = admin.post(address(version), PARTS, follow=True)
    assertContains(page, "The edge cuts through a face.")
    assertContains(page, "A headline is hard to read here: contrast 1.0, 3.0 is needed.")
    listed = admin.get(url("asset", version.asset.uid), {"version": version.number})
    assertContains(listed, "The edge cuts through a face.")
    page = admin.post(address(version), PARTS | {"left": "0"}, follow=True)
    assertNotContains(page, "hard to read here: contrast 1")


def test_the_suggestion_says_what_it_rests_on_and_how_sure_it_is(admin, version):
    put_faces(version, (0.55, 0.2, 0.2, 0.4))
    page = admin.get(address(version))
    assertContains(page, "Suggestion (87 % sure)")
    assertContains(page, "follows the faces that were found")
    assertNotContains(page, "beyond its edges")


def test_what_does_not_fit_is_offered_to_be_painted_on(admin, browse, person, version):
    put_faces(version, (0.05, 0.2, 0.2, 0.4), (0.75, 0.2, 0.2, 0.4))
    page = admin.get(address(version))
    assertContains(page, "No part of this shape holds everything that matters.")
    form = url("version_extend", version.asset.uid, version.number) + "?shape=1%3A1"
    assertContains(page, f'href="{form}"')
    shapes = admin.get(form).context["form"]["shapes"]
    assert [box.data["value"] for box in shapes if box.data["selected"]] == ["1:1"]
    image = url("image_crops", image_of(version))
    assert admin.get(image).json()["shapes"]["square"]["extend"] == form
    viewer = browse(person("viewer", "view"))
    assertNotContains(viewer.get(address(version)), "Paint the picture on")
    assert viewer.get(image).json()["shapes"]["square"]["extend"] == ""


def test_a_crop_of_an_older_version_is_shown_as_outdated_and_taken_over(admin, version, editor):
    older = version.asset.versions.get(number=1)
    SetCrop(older, None, name="square", region=(1000, 2000, 5000, 5000)).execute()
    assertContains(admin.get(address(version)), "It was set for version 1")
    page = admin.get(address(version), {"take": "1"})
    value = html.fromstring(page.content).xpath("//input[@name='left']/@value")
    assert [float(text) for text in value] == [NamedCrop.objects.get().left / 100]
    admin.post(address(version), PARTS)
    assertNotContains(admin.get(address(version)), "It was set for version 1")
    RemoveCrop(version, None, name="square").execute()
    assertContains(admin.get(address(version)), "It was set for version 1")


def test_who_may_not_change_sees_the_crop_and_no_more(browse, person, version):
    viewer = browse(person("viewer", "view"))
    page = viewer.get(address(version))
    assertNotContains(page, "Save the crop")
    assert viewer.post(address(version), PARTS).status_code in (302, 403)
    assert viewer.post(address(version, "square", "crop_remove")).status_code in (302, 403)
    crop = SetCrop(version, None, name="square", region=(0, 0, 5000, 10000)).execute()
    RemoveCrop(version, None, name="square").execute()
    viewer.post(address(version, "square", "crop_restore", crop.pk))
    assert crops_of(version) == {}
    assert NamedCrop.objects.count() == 1


def test_there_is_no_page_for_what_does_not_exist(admin, version):
    for name in ("poster", "hero-"):
        assert admin.get(address(version, name)).status_code == 404
    assert admin.get(url("crop", version.asset.uid, 9, "square")).status_code == 404


def test_a_lost_master_stops_nothing(admin, version, private_folder):
    (private_folder / version.master_name).unlink()
    assertContains(admin.get(address(version)), "Nothing is known of this picture")
    assert admin.post(address(version), PARTS).status_code == 302


def test_a_page_s_form_asks_for_what_is_known_of_an_image(admin, browse, person, version):
    address = url("image_crops", image_of(version))
    told = admin.get(address)
    assert "no-store" in told["Cache-Control"] and "private" in told["Cache-Control"]
    assert told.json()["shapes"]["hero"]["ratio"] == [16, 9]
    assert browse(person("stranger")).get(address).status_code in (302, 404)
    for missing in ("0", "x", "9" * 40):
        assert admin.get(url("image_crops", missing)).status_code == 404


def test_every_page_of_crops_needs_a_login(client, version):
    names = [pattern.name for pattern in studio if pattern.name and "crop" in pattern.name]
    assert sorted(names) == ["crop", "crop_remove", "crop_restore", "image_crops"]
    assert client.get(address(version)).status_code == 302
    assert client.get(url("image_crops", 1)).status_code == 302
