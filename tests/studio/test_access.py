"""Who may open which page, and who may change what."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from imagepipe.assets.models import Asset
from imagepipe.permissions import VERBS
from imagepipe.workflow.models import Candidate, Run

pytestmark = pytest.mark.django_db

MAKING = {"view", "generate", "review"}
ANY = set(VERBS)
LISTINGS = {
    "generate": {"generate"},
    "runs": MAKING,
    "runs_results": MAKING,
    "assets": ANY,
    "assets_results": ANY,
    "review": {"review"},
    "review_results": {"review"},
    "alt_texts": {"change"},
    "models": {"generate", "review"},
    "models_results": {"generate", "review"},
}


def url(name: str, *args: Any) -> str:
    return reverse(f"imagepipe_admin:{name}", args=args)


def is_refused(response: Any) -> bool:
    """Wagtail's usual refusal: back to the dashboard with a message."""
    return response.status_code == 302 and response.url == reverse("wagtailadmin_home")


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("name", LISTINGS)
def test_listings_open_for_the_right_verbs(name, verb, browse, person, template):
    response = browse(person("ann", verb)).get(url(name))
    if verb in LISTINGS[name]:
        assert response.status_code == 200
    else:
        assert is_refused(response)


@pytest.mark.parametrize("name", LISTINGS)
def test_listings_are_closed_for_people_without_verbs_and_for_the_public(
    name, browse, person, template
):
    assert is_refused(browse(person("ann")).get(url(name)))
    assert browse(None).get(url(name)).url.startswith("/admin/login/")
    without_admin = User.objects.create_user("bob")
    assert browse(without_admin).get(url(name)).url.startswith("/admin/login/")


def pages(candidate: Candidate, asset: Asset) -> dict[str, set[str]]:
    """Every page about one thing, with the verbs that open it."""
    run, number = candidate.run, 1
    return {
        url("run", run.uid): MAKING,
        url("candidate", candidate.uid): MAKING,
        url("asset", asset.uid): ANY,
        url("asset_rights", asset.uid): {"license"},
        url("asset_alt", asset.uid): {"change"},
        url("run_progress", run.uid): MAKING,
        url("candidate_card", run.uid, 0): MAKING,
        url("candidate_picture", candidate.uid): MAKING,
        url("version_picture", asset.uid, number): ANY,
        url("version_thumbnail", asset.uid, number): ANY,
        url("recipe", asset.uid, number): ANY,
    }


@pytest.mark.parametrize("verb", VERBS)
def test_pages_open_for_the_right_verbs(verb, browse, person, candidate, asset, root):
    here = browse(person("ann", verb))
    elsewhere = browse(person("eve", *VERBS, collection=root.add_child(name="Other")))
    for address, verbs in pages(candidate, asset).items():
        response = here.get(address)
        if verb in verbs:
            assert response.status_code == 200, address
        else:
            assert is_refused(response) or response.status_code == 404, address
        response = elsewhere.get(address)
        assert is_refused(response) or response.status_code == 404, address


def test_pages_are_closed_for_the_public(browse, candidate, asset):
    for address in pages(candidate, asset):
        assert browse(None).get(address).url.startswith("/admin/login/"), address


def test_private_pictures_are_simply_not_there_for_strangers(
    browse, person, candidate, asset, root
):
    stranger = browse(person("eve", *VERBS, collection=root.add_child(name="Other")))
    for address in (
        url("candidate_picture", candidate.uid),
        url("version_picture", asset.uid, 1),
        url("version_thumbnail", asset.uid, 1),
        url("candidate_preview", candidate.run.uid, 0),
    ):
        assert stranger.get(address).status_code == 404, address


def changes(run: Run, candidate: Candidate, asset: Asset) -> dict[str, tuple[str, dict]]:
    """Every address that changes something: the verb it takes, and valid data."""
    other = run.candidates.get(index=1)
    reject = {"reason": "other", "note": ""}
    return {
        url("run_cancel", run.uid): ("generate", {}),
        url("run_retry", run.uid): ("generate", {}),
        url("candidate", other.uid): ("review", {"title": "T"}),
        url("candidate_reject", other.uid): ("review", reject),
        url("candidate_vary", candidate.uid): ("generate", {}),
        url("asset_rights", asset.uid): (
            "license",
            {"licence": "MIT", "rights_holder": "X", "persons": "none"},
        ),
        url("asset_alt", asset.uid): ("change", {"alt_en": "Text"}),
        url("asset_decorative", asset.uid): ("change", {"decorative": "yes"}),
        url("asset_withdraw", asset.uid): ("publish", {"reason": "wrong"}),
        url("version_approve", asset.uid, 1): ("review", {}),
        url("version_reject", asset.uid, 1): ("review", reject),
        url("version_publish", asset.uid, 1): ("publish", {}),
    }


def everything() -> tuple[Any, ...]:
    return (
        list(Run.objects.order_by("pk").values()),
        list(Candidate.objects.order_by("pk").values()),
        [
            (asset.pk, asset.published_version_id, asset.alt_texts(), hasattr(asset, "rights"))
            for asset in Asset.objects.order_by("pk")
        ],
        list(Asset.objects.order_by("pk").values_list("versions__state")),
    )


def test_nothing_changes_without_the_verb(browse, person, candidate, asset, root):
    before = everything()
    strangers = {
        "eve": browse(person("eve", *VERBS, collection=root.add_child(name="Other"))),
        "public": browse(None),
    }
    changed = changes(candidate.run, candidate, asset)
    for address, (verb, data) in changed.items():
        lacking = [other for other in VERBS if other != verb]
        client = browse(person(f"all-but-{verb}-{uuid.uuid4().hex[:6]}", *lacking))
        assert is_refused(client.post(address, data)), address
        for name, client in strangers.items():
            response = client.post(address, data)
            assert response.status_code in (302, 404), (name, address)
            if response.status_code == 302:
                assert response.url.startswith("/admin/"), (name, address)
    assert everything() == before


def test_nothing_changes_by_reading_or_without_a_token(editor, candidate, asset):
    before = everything()
    client = Client(enforce_csrf_checks=True)
    client.force_login(editor)
    for address, (_verb, data) in changes(candidate.run, candidate, asset).items():
        assert client.get(address).status_code in (200, 405), address
        assert client.post(address, data).status_code == 403, address
    assert client.post(url("generate"), {"title": "x"}).status_code == 403
    assert everything() == before


@pytest.mark.parametrize(
    ("verbs", "expected"),
    [
        (
            ("generate",),
            {"Generate", "Runs", "Queue", "History", "Pictures", "Styles", "Routes", "Models"},
        ),
        (
            ("review",),
            {"Runs", "Queue", "History", "Pictures", "To review", "Styles", "Routes", "Models"},
        ),
        (("publish",), {"Pictures"}),
        (("change",), {"Pictures", "Alternative texts"}),
        ((), set()),
    ],
)
def test_the_menu_shows_only_what_one_may(
    verbs: tuple[str, ...],
    expected: set[str],
    person: Callable[..., User],
    rf: Any,
):
    from wagtail.admin.menu import admin_menu

    request = rf.get("/admin/")
    request.user = person("ann", *verbs)
    studio = next(i for i in admin_menu.registered_menu_items if i.name == "imagepipe-studio")
    shown = {str(item.label) for item in studio.menu.menu_items_for_request(request)}
    assert shown == expected
    assert studio.is_shown(request) == bool(expected)


def test_a_superuser_sees_the_whole_menu(editor, rf):
    from wagtail.admin.menu import admin_menu

    request = rf.get("/admin/")
    request.user = editor
    studio = next(i for i in admin_menu.registered_menu_items if i.name == "imagepipe-studio")
    items = sorted(studio.menu.menu_items_for_request(request), key=lambda item: item.order)
    assert [str(item.label) for item in items] == [
        "Generate",
        "Runs",
        "Queue",
        "Requests for more",
        "Quotas",
        "History",
        "Pictures",
        "Prompt templates",
        "To review",
        "Generation profiles",
        "Styles",
        "Alternative texts",
        "Routes",
        "Engines",
        "Models",
    ]
