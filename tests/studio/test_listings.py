from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django.asserts import assertContains, assertNotContains

from imagepipe.assets.models import AltText, Asset, AssetVersion
from imagepipe.registry.models import RegisteredModel
from imagepipe.workflow.models import Candidate, Run, RunState

pytestmark = pytest.mark.django_db


def url(name: str) -> str:
    return reverse(f"imagepipe_admin:{name}")


def make_asset(title: str, state: str = "draft", **fields: Any) -> Asset:
    asset = Asset.objects.create(title=title, slug="x", **fields)
    version = AssetVersion.objects.create(
        asset=asset, number=1, state=state, origin="uploaded", sha256="0" * 64,
        mime="image/png", width=8, height=8, byte_count=8, created_by=fields.get("created_by"),
    )  # fmt: skip
    if state == "published":
        asset.published_version = version
        asset.save()
    return asset


def make_run(title: str, **fields: Any) -> Run:
    run = Run.objects.create(title=title, graph={}, graph_sha256="", **fields)
    Candidate.objects.create(
        run=run, index=0, seed=1, sha256="0" * 64, width=8, height=8, byte_count=8,
        recipe={}, recipe_sha256="",
    )  # fmt: skip
    return run


MAKERS = {
    "runs": lambda n, editor: make_run(f"Run {n}", created_by=editor),
    "assets": lambda n, editor: make_asset(f"Asset {n}", "published"),
    "review": lambda n, editor: make_asset(f"Asset {n}", created_by=editor),
    "models": lambda n, editor: RegisteredModel.objects.create(
        slug=f"m{n}", name=f"M{n}", licence="MIT", location="x"
    ),
}


@pytest.mark.parametrize("name", MAKERS)
def test_queries_do_not_grow_with_the_rows(name, admin, editor, root):
    def count() -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert admin.get(url(name)).status_code == 200
        return len(queries)

    MAKERS[name](0, editor)
    count()
    few = count()
    for number in range(1, 12):
        MAKERS[name](number, editor)
    assert count() == few


def test_runs_by_state_and_starter(admin, editor, person, root):
    make_run("Mine", created_by=editor)
    make_run("Hers", created_by=person("ann"), state=RunState.FAILED)
    page = admin.get(url("runs"))
    assertContains(page, "Mine")
    assertContains(page, "Hers")
    page = admin.get(url("runs"), {"by": "me"})
    assertContains(page, "Mine")
    assertNotContains(page, "Hers")
    page = admin.get(url("runs"), {"state": "failed"})
    assertContains(page, "Hers")
    assertNotContains(page, "Mine")
    page = admin.get(url("runs_results"), {"q": "min"})
    assertContains(page, "Mine")
    assertNotContains(page, "Hers")


def test_pictures_by_state_origin_collection_and_words(admin, root):
    own = root.add_child(name="Own")
    draft = make_asset("Draft one")
    make_asset("Approved one", "approved", collection=own)
    make_asset("Published one", "published")
    gone = make_asset("Withdrawn one", "withdrawn")
    Asset.objects.filter(pk=gone.pk).update(withdrawn_at="2026-01-01T00:00Z")
    AltText.objects.create(asset=draft, language="en", text="Boats in a harbour")

    def shown(**query: Any) -> set[str]:
        found = admin.get(url("assets"), query).context["object_list"]
        return {asset.title.split()[0] for asset in found}

    assert shown() == {"Draft", "Approved", "Published", "Withdrawn"}
    assert shown(state="review") == {"Draft"}
    assert shown(state="approved") == {"Approved"}
    assert shown(state="published") == {"Published"}
    assert shown(state="withdrawn") == {"Withdrawn"}
    assert shown(origin="generated") == set()
    assert shown(collection=own.pk) == {"Approved"}
    assert shown(q="HARBOUR") == {"Draft"}
    assert shown(q="approved") == {"Approved"}
    assert shown(q="nothing like it") == set()


def test_drafts_wait_for_those_who_review_their_collection(browse, person, root):
    own = root.add_child(name="Own")
    make_asset("In own", collection=own)
    make_asset("Elsewhere")
    make_asset("Approved", "approved", collection=own)
    rita = person("rita", "review", collection=own)
    page = browse(rita).get(url("review"))
    assertContains(page, "In own")
    assertNotContains(page, "Elsewhere")
    assertNotContains(page, "Approved")
    make_run("Offers", collection=own)
    assertContains(browse(rita).get(url("review")), "1 generated picture waits")


def test_other_collections_are_not_listed(browse, person, root):
    own, other = root.add_child(name="Own"), root.add_child(name="Other")
    make_asset("Mine", collection=own)
    make_asset("Secret", collection=other)
    make_run("My run", collection=own)
    make_run("Secret run", collection=other)
    client = browse(person("ann", "generate", collection=own))
    for name in ("assets", "runs"):
        page = client.get(url(name))
        assertContains(page, "M")
        assertNotContains(page, "Secret")
    filters = client.get(url("assets")).context["filters"].form.fields["collection"]
    assert [collection.name for collection in filters.queryset] == ["Own"]


def test_models_are_listed_with_licence_and_state(admin, root):
    RegisteredModel.objects.create(
        slug="m", name="Model <M>", licence="OpenRAIL", licence_url="https://example.com/l",
        location="/secret/place", sha256="ab" * 32, state="allowed",
    )  # fmt: skip
    page = admin.get(url("models"))
    assertContains(page, "Model &lt;M&gt;")
    assertContains(page, "Allowed for production")
    assertContains(page, 'href="https://example.com/l"')
    assertNotContains(page, "/secret/place")


def test_models_are_listed_with_their_kind(admin, root):
    for kind in ("checkpoint", "controlnet", "lora", "embedding", "clip"):
        RegisteredModel.objects.create(
            slug=kind, name=f"The {kind}", kind=kind, licence="MIT", location="x"
        )
    page = admin.get(url("models"))
    for name in ("Checkpoint", "ControlNet", "LoRA", "Embedding", "CLIP"):
        assertContains(page, f"<td>{name}</td>", html=True)
    assertContains(page, "512×512", count=2)
    found = admin.get(url("models"), {"q": "lora"}).context["object_list"]
    assert [model.slug for model in found] == ["lora"]


def test_empty_listings_say_so(admin, root):
    assertContains(admin.get(url("assets")), "There are no pictures to show.")
    assertContains(admin.get(url("runs")), "There are no runs to show.")
    assertContains(admin.get(url("review")), "No draft waits for a review.")
    assertContains(admin.get(url("models")), "No model is registered.")


def test_nonsense_in_the_address_is_harmless(admin, root):
    for name in ("assets", "runs", "review", "models"):
        response = admin.get(
            url(name), {"p": "x", "state": "'--", "collection": "z", "q": "\0"}
        )
        assert response.status_code in (200, 404), name
    unknown = reverse("imagepipe_admin:asset", args=[uuid.uuid4()])
    assert admin.get(unknown).status_code == 404
