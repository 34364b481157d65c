"""What the pages of one picture say about its words."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.checks import run_checks
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from pytest_django.asserts import assertContains, assertNotContains

from imagepipe.assets.actions import MarkDecorative, SetAltText
from imagepipe.assets.models import AltText, Asset
from imagepipe.assets.staleness import outdated
from imagepipe.delivery.models import Publication
from imagepipe.delivery.requirements import missing_requirements
from imagepipe.exceptions import ImagepipeError
from imagepipe.registry.models import RegisteredModel
from tests.delivery.library import Library, png
from tests.seo.test_alt_suggestions import CLIP


def url(name: str, asset: Asset) -> str:
    return reverse(f"imagepipe_admin:{name}", args=[asset.uid])


def newer(asset: Asset) -> Any:
    """Another version of the same picture, not published."""
    nowhere = Path()
    return Library(nowhere, nowhere, nowhere).version(asset, png())


def test_a_generated_text_is_marked_and_confirmed(admin: Client, asset: Asset) -> None:
    SetAltText(asset, None, texts={"en": "A teapot"}, generated=True).execute()
    assertContains(admin.get(url("asset", asset)), "Generated, seen by nobody")
    assertContains(admin.get(url("asset_alt", asset)), "Generated, and seen by nobody yet.")
    shown = {"alt_en": "A teapot", "initial-alt_en": "A teapot", "initial-alt_de": ""}
    admin.post(url("asset_alt", asset), shown)
    assert asset.generated_alt_texts() == ["en"]  # saved as it was shown: nothing was said
    admin.post(url("asset_alt", asset), shown | {"confirm_en": "on"})
    assert asset.generated_alt_texts() == [] and asset.alt_texts() == {"en": "A teapot"}


def test_an_outdated_text_is_confirmed_for_the_version_that_was_looked_at(
    admin: Client, published: Asset
) -> None:
    version = newer(published)
    assertNotContains(admin.get(url("asset", published)), "Written for another version")
    page = admin.get(url("asset", published), {"version": version.number})
    assertContains(page, "Written for another version")
    form = f"{url('asset_alt', published)}?version={version.number}"
    assertContains(admin.get(form), "Written for an earlier version.")
    assert outdated(published, version) == {"en"}
    shown = {"alt_en": "A red teapot", "initial-alt_en": "A red teapot", "confirm_en": "on"}
    admin.post(form, shown)
    assert outdated(published, version) == set()
    assert AltText.objects.get(language="en").version == version


def test_a_version_of_another_picture_is_refused(asset: Asset, published: Asset) -> None:
    other = Asset.objects.create(title="Other", slug="other")
    with pytest.raises(ImagepipeError, match="another picture"):
        SetAltText(other, None, texts={"en": "x"}, version=published.versions.get()).execute()


def test_decorative_and_back(admin: Client, published: Asset) -> None:
    AltText.objects.all().delete()
    assert "alt" in missing_requirements(published)
    admin.post(url("asset_decorative", published), {"decorative": "yes"})
    published.refresh_from_db()
    assert published.decorative and missing_requirements(published) == {}
    assertContains(admin.get(url("asset", published)), "Decorative: screen readers pass it")
    admin.post(url("asset_decorative", published), {"decorative": "no"})
    published.refresh_from_db()
    assert not published.decorative


def test_pages_are_told_that_a_picture_became_decorative(
    published: Asset, django_capture_on_commit_callbacks: Any
) -> None:
    for decorative in (True, False):
        with django_capture_on_commit_callbacks(execute=True):
            MarkDecorative(published, None, decorative=decorative).execute()
        document = Publication.objects.get(asset=published).document
        assert document["decorative"] is decorative


def test_who_may_not_change_the_picture_cannot_mark_it(
    published: Asset, person: Any, browse: Any
) -> None:
    reader = browse(person("reader", "view", "publish", "license"))
    reader.post(url("asset_decorative", published), {"decorative": "yes"})
    published.refresh_from_db()
    assert not published.decorative
    assertNotContains(reader.get(url("asset", published)), "Mark as decorative")


@pytest.mark.parametrize(
    ("value", "found"), [("missing", True), ("outdated", False), ("generated", False)]
)
def test_pictures_are_filtered_by_what_their_words_lack(
    admin: Client, published: Asset, value: str, found: bool
) -> None:
    page = admin.get(reverse("imagepipe_admin:assets"), {"alt": value}).content.decode()
    assert ("A teapot" in page) is found  # its German text is missing


def test_decoration_that_publications_spoke_of_is_kept(published: Asset) -> None:
    Publication.objects.update(document={"decorative": True})
    migration = importlib.import_module("imagepipe.migrations.0010_alt_suggestions")
    migration.keep_decorative(apps, None)
    published.refresh_from_db()
    assert published.decorative


def test_a_value_that_does_not_exist_is_told_by_the_check(settings: Any) -> None:
    settings.IMAGEPIPE = {**settings.IMAGEPIPE, "ALT_TEXT_STALE": "maybe"}
    assert "imagepipe.E015" in [message.id for message in run_checks()]


def test_parameters_of_a_model_that_are_none(tmp_path: Any, db: None) -> None:
    wrong = tmp_path / "parameters.json"
    wrong.write_text("[1]")
    options = (str(CLIP), "--licence", "MIT", "--parameters")
    with pytest.raises(CommandError, match="no JSON object"):
        call_command("imagepipe", "register-model", *options, str(wrong))
    wrong.write_text('{"label_threshold": 0.3}')
    call_command("imagepipe", "register-model", *options, str(wrong))
    assert RegisteredModel.objects.get().defaults == {"label_threshold": 0.3}
