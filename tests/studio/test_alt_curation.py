"""The screen on which alternative texts are written card by card."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from wagtail.models import Collection

from imagepipe.assets.actions import SetAltText
from imagepipe.assets.models import AltText, Asset
from imagepipe.seo.alt_text.actions import KeepSuggestions
from imagepipe.seo.alt_text.captioner import captioners
from imagepipe.seo.alt_text.suggesting import suggest
from imagepipe.seo.models import AltSuggestion
from imagepipe.workflow import leases, runner
from imagepipe.workflow.models import Run
from tests.delivery.library import Library

URL = "/admin/imagepipe/alt-texts/"
AJAX = {"X-Requested-With": "XMLHttpRequest"}


@pytest.fixture
def library(tmp_path: Any, settings: Any, root: Collection) -> Library:
    return Library.at(tmp_path, settings)


def drawn(library: Library, thing: str, **fields: Any) -> Asset:
    asset = library.asset(f"Order {thing}", alt=False, **fields)
    library.version(asset, recipe={"prompt": f"a red {thing}"})
    outcome = suggest(asset, ["en", "de"], captioners())
    assert outcome is not None
    KeepSuggestions(asset, None, outcome=outcome).execute()
    return asset


def post(client: Client, asset: Asset, do: str, language: str = "en", **data: Any) -> Any:
    values = {"at": f"{asset.pk}:{language}", "do": do, **data}
    response = client.post(URL, values, headers=AJAX)
    assert response.status_code == 200, response
    return json.loads(response.content)


def test_a_card_shows_the_suggestion_and_where_it_comes_from(
    admin: Client, library: Library
) -> None:
    drawn(library, "owl")
    page = admin.get(URL).content.decode()
    assert ">A red owl</textarea>" in page
    assert "the prompt that made the picture (“a red owl”)" in page
    assert "0 done, 2 to do" in page


def test_accept_goes_to_the_next_language_and_undo_comes_back(
    admin: Client, library: Library
) -> None:
    asset = drawn(library, "owl")
    suggestion = AltSuggestion.objects.get(language="en")
    seen = {"current": "", "suggestion": suggestion.pk, "version": 1}
    after = post(admin, asset, "accept", text="A red owl", **seen)
    assert asset.alt_texts() == {"en": "A red owl"}
    assert "Eine rote Eule</textarea>" in after["html"] and "1 done, 1 to do" in after["html"]
    suggestion.refresh_from_db()
    assert suggestion.state == "taken"
    back = post(admin, asset, "undo")
    assert asset.alt_texts() == {}
    assert "A red owl</textarea>" in back["html"] and "0 done, 2 to do" in back["html"]
    suggestion.refresh_from_db()
    assert suggestion.state == "open"
    assert post(admin, asset, "undo")["refused"] is True


def test_undo_brings_back_what_stood_there_with_its_version(
    admin: Client, library: Library
) -> None:
    asset = drawn(library, "owl")
    SetAltText(asset, None, texts={"en": "An owl"}, generated=True).execute()
    library.version(asset)
    post(admin, asset, "accept", text="Two owls", current="An owl", version=2)
    assert AltText.objects.get().version.number == 2
    post(admin, asset, "undo")
    text = AltText.objects.get()
    assert (text.text, text.generated, text.version.number) == ("An owl", True, 1)


def test_decorative_skip_next_and_previous(admin: Client, library: Library) -> None:
    one, other = drawn(library, "owl"), drawn(library, "fox")
    assert "Order fox" in post(admin, one, "decorative")["html"]
    one.refresh_from_db()
    assert one.decorative
    assert "Ein roter Fuchs</textarea>" in post(admin, other, "skip")["html"]
    assert "Ein roter Fuchs</textarea>" in post(admin, other, "next", "de")["html"]
    after = post(admin, other, "skip", "de")
    assert "Nothing left to do here" in after["html"]
    assert "A red fox" not in admin.get(URL).content.decode()
    post(admin, other, "undo")
    admin.post(reverse("imagepipe_admin:alt_texts_again"))
    assert ">A red fox</textarea>" in admin.get(URL).content.decode()


def test_previous(admin: Client, library: Library) -> None:
    one = drawn(library, "owl")
    other = drawn(library, "fox")
    assert "Eine rote Eule</textarea>" in post(admin, other, "previous")["html"]
    assert "Ein roter Fuchs</textarea>" in post(admin, one, "previous")["html"]


def test_somebody_else_s_text_is_not_overwritten(admin: Client, library: Library) -> None:
    asset = drawn(library, "owl")
    SetAltText(asset, None, texts={"en": "Written meanwhile"}).execute()
    answer = post(admin, asset, "accept", text="Mine", current="")
    assert answer["refused"] and "“Written meanwhile”" in answer["message"]
    assert asset.alt_texts() == {"en": "Written meanwhile"}
    assert ">Mine</textarea>" in answer["html"]


@pytest.mark.parametrize("text", ["", "   ", "x" * 251])
def test_a_text_that_cannot_be_is_refused(admin: Client, library: Library, text: str) -> None:
    asset = drawn(library, "owl")
    assert post(admin, asset, "accept", text=text, current="")["refused"]
    assert asset.alt_texts() == {}


@pytest.mark.parametrize("at", ["", "x", "1:xx", "99999999:en", "1" * 30 + ":en", ":", "-1:en"])
def test_a_hostile_place_in_the_list(admin: Client, library: Library, at: str) -> None:
    drawn(library, "owl")
    for do in ("accept", "next", "previous", "undo", "", "nonsense"):
        response = admin.post(URL, {"at": at, "do": do, "text": "x"}, headers=AJAX)
        assert response.status_code == 200
    assert admin.get(URL, {"at": at, "language": "xx", "collection": "x"}).status_code == 200
    assert not AltText.objects.exists()


def test_without_script_it_works_by_pages(admin: Client, library: Library) -> None:
    asset = drawn(library, "owl")
    data = {"at": f"{asset.pk}:en", "do": "accept", "text": "An owl", "current": ""}
    page = admin.post(URL, data, follow=True).content.decode()
    assert "“An owl” was saved." in page and "Eine rote Eule</textarea>" in page


def test_filters(admin: Client, library: Library, root: Collection) -> None:
    inside = drawn(library, "owl", collection=root.add_child(name="Zoo"))
    drawn(library, "fox")
    page = admin.get(URL, {"language": "de", "collection": inside.collection_id})
    assert "Eine rote Eule</textarea>" in page.content.decode()
    assert "0 done, 1 to do" in page.content.decode()
    page = admin.get(URL, {"reason": "outdated"}).content.decode()
    assert "Nothing left to do here" in page


def test_who_may_only_look_is_turned_away(
    library: Library, root: Collection, person: Any, browse: Any
) -> None:
    asset = drawn(library, "owl")
    reader = browse(person("reader", "view", "generate", "review"))
    assert reader.get(URL).status_code == 302
    data = {"at": f"{asset.pk}:en", "do": "accept", "text": "Mine", "current": ""}
    assert reader.post(URL, data, headers=AJAX).status_code in (302, 403)
    advice = reverse("imagepipe_admin:alt_advice")
    query = {"asset": asset.uid, "language": "en", "text": "x"}
    assert reader.get(advice, query, headers=AJAX).status_code in (302, 403)
    elsewhere = browse(person("other", "change", collection=root.add_child(name="Other")))
    assert "Nothing left to do here" in elsewhere.get(URL).content.decode()
    answer = post(elsewhere, asset, "accept", text="Mine", current="")
    assert "Nothing left to do here" in answer["html"]
    assert asset.alt_texts() == {} and not AltText.objects.exists()


def test_advice_while_writing(admin: Client, library: Library) -> None:
    asset = drawn(library, "owl")
    url = reverse("imagepipe_admin:alt_advice")
    query = {"asset": asset.uid, "language": "en", "text": "image of an owl"}
    assert "Screen readers say" in admin.get(url, query).json()["advice"][0]
    assert admin.get(url, query | {"asset": "x"}).status_code == 404


def test_suggestions_are_offered_started_and_cancelled(
    library: Library, root: Collection, person: Any, browse: Any
) -> None:
    drawn(library, "owl")
    client = browse(person("writer", "change"))
    page = client.get(URL).content.decode()
    assert "Suggest texts for 1 picture" in page and "not known before the first run" in page
    client.post(reverse("imagepipe_admin:alt_suggest"))
    run = Run.objects.get()
    progress = reverse("imagepipe_admin:alt_progress", args=[run.uid])
    assert client.get(progress).json()["finished"] is False
    assert "Cancel" in client.get(URL).content.decode()
    stranger = browse(person("stranger", "change"))
    assert stranger.get(progress).status_code == 404
    cancel = reverse("imagepipe_admin:alt_cancel", args=[run.uid])
    assert stranger.post(cancel).status_code in (302, 403)
    run.refresh_from_db()
    assert run.state == "queued"
    client.post(cancel)
    run.refresh_from_db()
    assert run.state == "cancelled"
    client.post(reverse("imagepipe_admin:alt_suggest"))
    run = Run.objects.get(state="queued")
    owner = leases.new_owner()
    runner.execute(leases.claim(owner, run.uid.hex), owner, heartbeat=False)
    assert client.get(progress.replace(str(run.uid), str(run.uid))).status_code == 200
    done = client.get(reverse("imagepipe_admin:alt_progress", args=[run.uid])).json()
    assert (done["finished"], done["message"]) == (True, "Done; unchanged: 1.")


def test_the_run_s_page_tells_what_came_of_it(admin: Client, library: Library) -> None:
    drawn(library, "owl")
    admin.post(reverse("imagepipe_admin:alt_suggest"))
    run = Run.objects.get()
    owner = leases.new_owner()
    runner.execute(leases.claim(owner, run.uid.hex), owner, heartbeat=False)
    page = admin.get(reverse("imagepipe_admin:run", args=[run.uid])).content.decode()
    assert "Done; unchanged: 1." in page and "Alternative texts for 1 picture" in page
    assert admin.get(reverse("imagepipe_admin:queue")).status_code == 200
    assert admin.get(reverse("imagepipe_admin:runs")).status_code == 200
