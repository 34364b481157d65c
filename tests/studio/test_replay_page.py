from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from wagtail.models import Collection

from imagepipe.assets.models import Asset, AssetVersion
from imagepipe.generation.recipe import Recipe
from imagepipe.views.recipes import recipe_rows
from imagepipe.workflow.models import Candidate, Run

pytestmark = pytest.mark.django_db


@pytest.fixture
def replayed(asset: Asset, admin: Client, finish: Callable[[Run], Run]) -> Run:
    response = admin.post(reverse("imagepipe_admin:replay", args=[asset.uid, 1]))
    run = Run.objects.get(replay_of__asset=asset)
    assert response["Location"] == reverse("imagepipe_admin:run", args=[run.uid])
    return finish(run)


def test_the_run_page_shows_verdict_and_both_pictures(
    replayed: Run, asset: Asset, admin: Client
) -> None:
    page = admin.get(reverse("imagepipe_admin:run", args=[replayed.uid])).content.decode()
    assert "<strong>Bit-exact.</strong> Everything was as recorded." in page
    picture = reverse("imagepipe_admin:replay_picture", args=[replayed.uid])
    assert picture in page
    assert reverse("imagepipe_admin:version_picture", args=[asset.uid, 1]) in page
    response = admin.get(picture)
    assert (response.status_code, response["Content-Type"]) == (200, "image/png")
    assert response.content.startswith(b"\x89PNG")
    told = admin.get(reverse("imagepipe_admin:run_progress", args=[replayed.uid])).json()
    assert told["message"] == "Bit-exact. Everything was as recorded."
    assert told["candidates"] == []


def test_the_page_of_the_picture_shows_the_latest_replay(
    replayed: Run, asset: Asset, admin: Client
) -> None:
    page = admin.get(reverse("imagepipe_admin:asset", args=[asset.uid])).content.decode()
    assert "<strong>Bit-exact.</strong>" in page
    assert "Latest replay:" in page
    assert "Replayed" in page


def test_a_difference_is_shown_with_its_reason(
    asset: Asset, admin: Client, finish: Callable[[Run], Run]
) -> None:
    version = asset.versions.get()
    document = version.recipe | {"guidance": 9}
    document["environment"]["hardware"] = "Another processor"
    AssetVersion.objects.filter(pk=version.pk).update(
        recipe=document, recipe_sha256=Recipe.from_dict(document).sha256
    )
    admin.post(reverse("imagepipe_admin:replay", args=[asset.uid, 1]))
    run = finish(Run.objects.get(replay_of=version))
    page = admin.get(reverse("imagepipe_admin:run", args=[run.uid])).content.decode()
    assert "<strong>Diverged.</strong>" in page
    assert "Hardware: Another processor then, missing now" in page
    assert "Structural similarity 0." in page


def test_who_may_only_look_gets_no_button_and_no_run(
    asset: Asset, person: Callable[..., User], browse: Callable[[User], Client]
) -> None:
    viewer = browse(person("viewer", "view"))
    address = reverse("imagepipe_admin:replay", args=[asset.uid, 1])
    page = viewer.get(reverse("imagepipe_admin:asset", args=[asset.uid]))
    assert page.status_code == 200
    assert address not in page.content.decode()
    viewer.post(address)
    assert not Run.objects.exclude(replay_of=None).exists()
    assert viewer.get(address).status_code == 405


def test_the_evidence_is_not_there_for_strangers(
    replayed: Run, root: Collection, person: Callable[..., User],
    browse: Callable[[User], Client], admin: Client,
) -> None:  # fmt: skip
    elsewhere = root.add_child(name="Elsewhere")
    stranger = browse(person("stranger", "view", "generate", collection=elsewhere))
    picture = reverse("imagepipe_admin:replay_picture", args=[replayed.uid])
    assert stranger.get(picture).status_code == 404
    assert admin.get(picture).status_code == 200
    other = Run.objects.filter(replay_of=None).first()
    assert other is not None
    picture = reverse("imagepipe_admin:replay_picture", args=[other.uid])
    assert admin.get(picture).status_code == 404


def test_a_picture_without_a_recipe_cannot_be_replayed(asset: Asset, admin: Client) -> None:
    AssetVersion.objects.update(recipe=None)
    address = reverse("imagepipe_admin:replay", args=[asset.uid, 1])
    page = admin.get(reverse("imagepipe_admin:asset", args=[asset.uid])).content.decode()
    assert address not in page
    response = admin.post(address, follow=True)
    assert "no recipe" in response.content.decode()


def test_the_recipe_names_adapters_hardware_and_threads(candidate: Candidate) -> None:
    adapter = {"kind": "lora", "slug": "clay", "sha256": "", "weight": 0.8, "parameters": {}}
    environment = candidate.recipe["environment"] | {"hardware": "EPYC", "threads": 3}
    rows = recipe_rows(candidate.recipe | {"adapters": [adapter], "environment": environment})
    assert ("Adapters, control and reference pictures", "lora clay (0.8)") in rows
    made_on = dict(rows)["Made on"]
    assert "EPYC" in made_on and "Threads: 3" in made_on
    assert dict(rows)["Post-production"].startswith("upscale-lanczos")
