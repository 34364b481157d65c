"""The multiple uploader, on a site whose image form asks for more than a title."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django import forms
from django.contrib.auth import get_user_model
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import TestCase
from django.urls import reverse
from wagtail.images import get_image_model
from wagtail.models import Collection, UploadedFile

from imagepipe.assets.models import Asset
from imagepipe.delivery import images
from imagepipe.forms import ImagepipeImageForm
from tests.delivery.library import Library, png
from tests.writing.test_write_paths import sha


class StrictForm(ImagepipeImageForm):
    source = forms.CharField()


@pytest.fixture
def root(db: None) -> Collection:
    return Collection.get_first_root_node() or Collection.add_root(name="Root")


@pytest.fixture
def web(client: Any, root: Collection, settings: Any) -> Any:
    settings.WAGTAILIMAGES_IMAGE_FORM_BASE = f"{__name__}.StrictForm"
    client.force_login(get_user_model().objects.create_superuser("ed", "e@example.com", "x"))
    return client


def post(web: Any, name: str, data: dict[str, Any], *args: Any) -> Any:
    with TestCase.captureOnCommitCallbacks(execute=True):
        return web.post(reverse(f"wagtailimages:{name}", args=args), data).json()


def park(web: Any, root: Collection, content: bytes) -> UploadedFile:
    file = SimpleUploadedFile("Secret Plan.PNG", content, "image/png")
    data = {"title": "Plan", "files[]": file, "collection": root.pk}
    assert post(web, "add_multiple", data)["success"] is True
    return UploadedFile.objects.get()


def test_a_parked_file_cannot_be_guessed(library: Library, web: Any, root: Collection) -> None:
    parked = park(web, root, png())
    assert re.fullmatch(r"wagtail_uploads/[0-9a-f]{32}\.png", parked.file.name)
    assert not get_image_model().objects.exists()
    assert not Asset.objects.exists()


def test_once_complete_it_is_a_draft_and_nothing_stays_in_media(
    library: Library, web: Any, root: Collection
) -> None:
    content = png()
    parked = park(web, root, content)
    prefix = f"uploaded-image-{parked.pk}"
    data = {"title": "Plan", "collection": root.pk, "source": "Ada", "tags": ""}
    fields = {f"{prefix}-{name}": value for name, value in data.items()}
    answer = post(web, "create_multiple_from_uploaded_image", fields, parked.pk)
    assert answer["success"] is True, answer
    asset = Asset.objects.get()
    assert asset.versions.get().sha256 == sha(content)
    assert images.shows_placeholder(asset, asset.image)
    assert sha(content) not in library.media_hashes()
    assert not UploadedFile.objects.exists()


def test_without_approval_names_are_kept(
    library: Library, web: Any, root: Collection, settings: Any
) -> None:
    settings.IMAGEPIPE = {**settings.IMAGEPIPE, "APPROVAL": "off"}
    assert "Secret" in park(web, root, png()).file.name
