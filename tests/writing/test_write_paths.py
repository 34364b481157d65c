"""Wagtail's four ways to write an image, and what other code does."""

from __future__ import annotations

import hashlib
import io
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import transaction
from django.test import TestCase
from django.urls import reverse
from PIL import Image
from wagtail.images import get_image_model
from wagtail.models import APIToken, Collection

from imagepipe.assets import masters
from imagepipe.assets.models import Asset, AssetVersion
from imagepipe.delivery import images
from imagepipe.delivery.actions import PublishVersion
from tests.delivery.library import Library, loose_image, png


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def upload(content: bytes, name: str = "boat.png") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, "image/png")


@pytest.fixture
def root(db: None) -> Collection:
    return Collection.get_first_root_node() or Collection.add_root(name="Root")


@pytest.fixture
def editor(root: Collection) -> Any:
    return get_user_model().objects.create_superuser("ed", "ed@example.com", "x")


@pytest.fixture
def web(client: Any, editor: Any) -> Any:
    client.force_login(editor)
    return client


def post(web: Any, url: str, data: dict[str, Any], **extra: Any) -> Any:
    with TestCase.captureOnCommitCallbacks(execute=True):
        return web.post(url, data, **extra)


def add_form(content: bytes, root: Collection, **more: Any) -> dict[str, Any]:
    return {"title": "Boat", "file": upload(content), "collection": root.pk, **more}


def assert_draft(library: Library, content: bytes) -> Asset:
    asset = Asset.objects.get()
    version = asset.versions.get()
    assert (version.state, version.origin) == ("draft", "uploaded")
    assert version.sha256 == sha(content)
    assert masters.read(version.sha256) == content
    assert sha(content) not in library.media_hashes()
    assert images.shows_placeholder(asset, asset.image)
    return asset


def test_admin_add(library: Library, web: Any, root: Collection, editor: Any) -> None:
    content = png()
    data = add_form(content, root, description="A boat")
    response = post(web, reverse("wagtailimages:add"), data)
    assert response.status_code == 302
    asset = assert_draft(library, content)
    assert asset.title == "Boat"
    assert asset.alt_texts() == {"en": "A boat"}
    assert asset.versions.get().created_by == editor


def test_multiple_upload(library: Library, web: Any, root: Collection) -> None:
    content = png()
    data = {"title": "Boat", "files[]": upload(content), "collection": root.pk}
    response = post(web, reverse("wagtailimages:add_multiple"), data)
    assert response.json()["success"] is True
    assert_draft(library, content)


def test_chooser_upload(library: Library, web: Any, root: Collection) -> None:
    content = png()
    prefix = "image-chooser-upload"
    data = {f"{prefix}-{key}": value for key, value in add_form(content, root).items()}
    response = post(web, reverse("wagtailimages_chooser:create"), data)
    assert response.json()["step"] == "chosen"
    assert_draft(library, content)


def test_api_post(
    library: Library, client: Any, editor: Any, root: Collection, settings: Any
) -> None:
    content = png()
    _token, plain = APIToken.create_token(user=editor, name="test")
    response = post(
        client,
        reverse("wagtailapi_v3:create_image"),
        {"title": "Boat", "file": upload(content)},
        HTTP_AUTHORIZATION=f"Bearer {plain}",
    )
    assert response.status_code == 201, response.content
    assert_draft(library, content)


def published(library: Library) -> tuple[Asset, AssetVersion]:
    asset = library.asset()
    version = library.version(asset)
    library.do(PublishVersion(version, None))
    asset.refresh_from_db()
    return asset, version


def test_replacement_keeps_the_published_file(
    library: Library, web: Any, root: Collection
) -> None:
    asset, version = published(library)
    name, content = asset.image.file.name, png()
    data = add_form(content, root, title="New title", description="Other words")
    url = reverse("wagtailimages:edit", args=(asset.image.pk,))
    assert post(web, url, data).status_code == 302
    asset = Asset.objects.get()
    assert asset.image.file.name == name
    assert library.media_hashes() == {version.sha256}
    second = asset.versions.get(number=2)
    assert (second.state, second.origin, second.sha256) == ("draft", "replaced", sha(content))
    assert list(second.parents.all()) == [version]
    assert asset.title == "New title"
    assert asset.alt_texts()["en"] == "Other words"


def test_without_approval_a_replacement_is_live(
    library: Library, web: Any, root: Collection, settings: Any
) -> None:
    settings.IMAGEPIPE = {**settings.IMAGEPIPE, "APPROVAL": "off"}
    first, second = png(), png()
    post(web, reverse("wagtailimages:add"), add_form(first, root))
    asset = Asset.objects.get()
    assert library.media_hashes() == {sha(first)}
    post(web, reverse("wagtailimages:edit", args=(asset.image_id,)), add_form(second, root))
    assert library.media_hashes() == {sha(second)}
    assert [v.sha256 for v in asset.versions.order_by("number")] == [sha(first), sha(second)]
    assert masters.read(sha(first)) == first


def test_a_rollback_half_way_loses_nothing(
    library: Library, web: Any, root: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    asset, version = published(library)
    before = library.media_hashes()

    def fail(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("half-way")

    monkeypatch.setattr("wagtail.actions.edit.log", fail)
    url = reverse("wagtailimages:edit", args=(asset.image.pk,))
    with pytest.raises(RuntimeError, match="half-way"):
        post(web, url, add_form(png(), root))
    assert library.media_hashes() == before == {version.sha256}
    assert asset.versions.count() == 1
    assert asset.image.file.storage.exists(asset.image.file.name)


def test_deleting_image_collection_and_user_loses_nothing(
    library: Library, root: Collection
) -> None:
    user = get_user_model().objects.create_user("gone")
    collection = root.add_child(name="Harbours")
    asset = library.asset(collection=collection, created_by=user)
    version = library.version(asset, created_by=user)
    library.do(PublishVersion(version, None))
    asset.refresh_from_db()
    desired = library.publication(asset).desired
    with TestCase.captureOnCommitCallbacks(execute=True):
        asset.image.delete()
        collection.delete()
        user.delete()
    asset = Asset.objects.get(pk=asset.pk)
    assert (asset.image, asset.published_version, asset.created_by) == (None, None, None)
    assert asset.collection == root
    assert library.publication(asset).desired == desired + 1
    assert asset.versions.get().state == "withdrawn"
    assert sha(masters.read(version.sha256)) == version.sha256


def test_a_change_by_other_code_is_noticed(library: Library, root: Collection) -> None:
    asset, version = published(library)
    content = png()
    with TestCase.captureOnCommitCallbacks(execute=True):
        asset.image.file = ContentFile(content, name="other.png")
        asset.image.save()
    noticed = asset.versions.get(number=2)
    assert (noticed.origin, noticed.state, noticed.sha256) == ("noticed", "draft", sha(content))
    assert library.media_hashes() == {version.sha256}


def truncated() -> bytes:
    file = io.BytesIO()
    Image.effect_noise((200, 200), 90).save(file, "JPEG")
    return file.getvalue()[: file.tell() // 2]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("page.jpg", b"<!doctype html><script>1</script>", "not a photograph"),
        ("half.jpg", truncated(), "damaged or incomplete"),
        ("huge.png", png(60, 60), "60×60 pixels"),
    ],
)
def test_unusable_files_are_refused(
    library: Library,
    web: Any,
    root: Collection,
    settings: Any,
    name: str,
    content: bytes,
    message: str,
) -> None:
    if name == "huge.png":
        settings.IMAGEPIPE = {**settings.IMAGEPIPE, "MAX_PIXELS": 1000}
    data = add_form(content, root, file=upload(content, name))
    response = post(web, reverse("wagtailimages:add"), data)
    assert response.status_code == 200
    assert message in response.content.decode()
    assert not Asset.objects.exists()
    assert not get_image_model().objects.exists()
    assert not library.media_hashes()


def test_adoption_is_resumable(library: Library, root: Collection) -> None:
    contents = [png() for _number in range(3)]
    for content in contents:
        loose_image(content)
    out = io.StringIO()
    call_command("imagepipe", "adopt", "--dry-run", stdout=out)
    assert "3 images" in out.getvalue()
    assert not Asset.objects.exists()
    call_command("imagepipe", "adopt", "--limit", "1", stdout=out)
    assert Asset.objects.count() == 1
    call_command("imagepipe", "adopt", stdout=out)
    call_command("imagepipe", "adopt", stdout=out)
    assert out.getvalue().endswith("0 images adopted, 0 failed\n")
    versions = AssetVersion.objects.all()
    assert {v.sha256 for v in versions} == library.media_hashes() == set(map(sha, contents))
    assert {(v.state, v.origin, v.number) for v in versions} == {("approved", "adopted", 1)}


def test_a_form_rolled_back_with_its_transaction_keeps_the_master(
    library: Library, web: Any, root: Collection
) -> None:
    content = png()
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        post(web, reverse("wagtailimages:add"), add_form(content, root))
        raise ZeroDivisionError
    assert not Asset.objects.exists()
    assert masters.read(sha(content)) == content
