from __future__ import annotations

import pytest
from django.db import connection
from django.test import TestCase
from django.urls import reverse
from pytest_django.asserts import assertContains, assertNotContains

from imagepipe.assets.models import Asset, AssetVersion
from imagepipe.workflow import blobs
from imagepipe.workflow.models import Candidate

pytestmark = pytest.mark.django_db


def url(name: str, *args) -> str:
    return reverse(f"imagepipe_admin:{name}", args=args)


def test_approving_with_a_title_only(admin, candidate):
    response = admin.post(url("candidate", candidate.uid), {"title": "Teapot, red"})
    asset = Asset.objects.get()
    assert response.url == url("asset", asset.uid)
    assert asset.title == "Teapot, red"
    assert asset.versions.get().state == AssetVersion.State.APPROVED
    page = admin.get(response.url)
    assertContains(page, "Write an alternative text")
    assertContains(page, "Record licence and rights holder")


def test_approving_describing_licensing_and_publishing_at_once(admin, candidate):
    data = {
        "title": "Teapot",
        "alt_en": "A red teapot",
        "alt_de": "Eine rote Teekanne",
        "licence": "CC BY 4.0",
        "rights_holder": "Ada",
        "credit": "Photo: Ada",
        "persons": "none",
        "publish": "on",
    }
    with TestCase.captureOnCommitCallbacks(execute=True):
        admin.post(url("candidate", candidate.uid), data)
    asset = Asset.objects.get()
    assert asset.published_version is not None
    assert asset.image is not None
    assert asset.alt_texts() == {"en": "A red teapot", "de": "Eine rote Teekanne"}
    assert (asset.rights.licence, asset.rights.rights_holder) == ("CC BY 4.0", "Ada")


def test_publishing_without_what_it_needs_approves_nothing(admin, candidate):
    data = {"title": "Teapot", "publish": "on", "persons": "none"}
    response = admin.post(url("candidate", candidate.uid), data)
    assert set(response.context["form"].errors) == {"licence", "rights_holder"}
    data |= {"licence": "MIT", "rights_holder": "Ada"}
    response = admin.post(url("candidate", candidate.uid), data, follow=True)
    assertContains(response, "Write an alternative text")
    assert not Asset.objects.exists()
    candidate.refresh_from_db()
    assert candidate.state == Candidate.State.OFFERED


def test_only_what_one_may_do_is_asked_for_and_done(browse, person, candidate):
    client = browse(person("rita", "review"))
    page = client.get(url("candidate", candidate.uid))
    assertContains(page, 'name="title"')
    for name in ("alt_en", "licence", "publish"):
        assertNotContains(page, f'name="{name}"')
    client.post(
        url("candidate", candidate.uid),
        {"title": "T", "alt_en": "x", "licence": "MIT", "rights_holder": "X", "publish": "on"},
    )
    asset = Asset.objects.get()
    assert asset.published_version is None
    assert asset.alt_texts() == {}
    assert not hasattr(asset, "rights")


def test_an_empty_title_is_refused_and_the_rest_kept(admin, candidate):
    response = admin.post(url("candidate", candidate.uid), {"title": " ", "alt_en": "A pot"})
    assert set(response.context["form"].errors) == {"title"}
    assertContains(response, "A pot")


def test_a_picture_is_not_approved_twice(admin, candidate, asset):
    response = admin.post(url("candidate", candidate.uid), {"title": "Again"}, follow=True)
    assertContains(response, "“Accepted” already")
    assertContains(response, url("asset", asset.uid))
    assert Asset.objects.count() == 1


def test_four_eyes_are_explained(admin, candidate, settings):
    settings.IMAGEPIPE = settings.IMAGEPIPE | {"FOUR_EYES": True}
    response = admin.post(url("candidate", candidate.uid), {"title": "Mine"}, follow=True)
    assertContains(response, "Somebody else has to accept this picture")
    assert not Asset.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_pixels_are_not_read_while_the_database_is_locked(admin, candidate, monkeypatch):
    read, locked = blobs.read, []

    def watched(sha256: str) -> bytes:
        locked.append(connection.in_atomic_block)
        return read(sha256)

    monkeypatch.setattr(blobs, "read", watched)
    admin.post(url("candidate", candidate.uid), {"title": "Teapot"})
    assert Asset.objects.get().title == "Teapot"
    assert locked == [False]
