"""Pins, stars, variations, and the history in which they are found again."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects
from wagtail.models import Collection

from imagepipe.assets.models import Lineage
from imagepipe.audit.models import AuditEvent
from imagepipe.generation.backends.fake import FakeBackend
from imagepipe.generation.capabilities import Capabilities
from imagepipe.workflow.actions import AcceptCandidate, StartRun
from imagepipe.workflow.lineage import edited_asset, parents_of
from imagepipe.workflow.mark_models import Star
from imagepipe.workflow.models import Candidate, Run
from imagepipe.workflow.variations import LIKENESS

pytestmark = pytest.mark.django_db
SCRIPT = {"X-Requested-With": "XMLHttpRequest"}
People = Callable[..., User]
Browse = Callable[..., Client]


def url(name: str, *args: object) -> str:
    return reverse(f"imagepipe_admin:{name}", args=args)


def order(page: str) -> list[int]:
    places = [page.index(f'id="imagepipe-candidate-{index}-name"') for index in (0, 1)]
    return sorted((0, 1), key=lambda index: places[index])


def test_a_pinned_picture_comes_first_for_everybody(
    admin: Client, person: People, browse: Browse, finished: Run
) -> None:
    second = finished.candidates.get(index=1)
    reader = browse(person("vera", "view"))
    page = url("run", finished.uid)
    assert order(reader.get(page).content.decode()) == [0, 1]
    assertRedirects(admin.post(url("candidate_pin", second.uid), {"on": "1"}), page)
    seen = reader.get(page).content.decode()
    assert order(seen) == [1, 0]
    assert url("candidate_pin", second.uid) not in seen
    assert reader.post(url("candidate_pin", second.uid), {"on": "0"}).status_code in (302, 403)
    second.refresh_from_db()
    assert second.pinned
    admin.post(url("candidate_pin", second.uid), {"on": "0"})
    assert order(reader.get(page).content.decode()) == [0, 1]
    events = AuditEvent.objects.filter(action="imagepipe.candidate.pin").order_by("pk")
    assert [event.data["pinned"] for event in events] == [True, False]


def test_a_star_is_for_oneself(
    admin: Client, editor: User, person: People, browse: Browse, candidate: Candidate
) -> None:
    address = url("candidate_star", candidate.uid)
    for _time in range(2):
        answer = admin.post(address, {"on": "1"}, headers=SCRIPT)
        assert answer.json() == {"on": True, "said": "Picture 1 has your star."}
    assert list(Star.objects.values_list("user", "candidate")) == [(editor.pk, candidate.pk)]
    own, others = admin, browse(person("vera", "view"))
    pressed = 'data-mark="star" aria-pressed="true"'
    for page, expected in ((own, 1), (others, 0)):
        assertContains(page.get(url("run", candidate.run.uid)), pressed, count=expected)
        starred = page.get(url("history"), {"mark": "star"})
        assertContains(starred, url("candidate_thumbnail", candidate.uid), count=expected)
    admin.post(address, {"on": "0"})
    assert not Star.objects.exists()


def test_strangers_cannot_mark(
    person: People, browse: Browse, root: Collection, candidate: Candidate
) -> None:
    stranger = browse(person("eve", "generate", collection=root.add_child(name="Other")))
    for name in ("candidate_star", "candidate_pin"):
        assert stranger.post(url(name, candidate.uid), {"on": "1"}).status_code in (302, 403)
        assert stranger.get(url(name, candidate.uid)).status_code == 405
    candidate.refresh_from_db()
    assert not candidate.pinned
    assert not Star.objects.exists()
    assertNotContains(stranger.get(url("history")), candidate.run.title)
    assert stranger.get(url("candidate_thumbnail", candidate.uid)).status_code == 404


@pytest.mark.parametrize("next_page", ["https://evil.example/", "//evil.example", "jav:x"])
def test_one_is_never_led_to_another_site(
    admin: Client, candidate: Candidate, next_page: str
) -> None:
    values = {"on": "1", "next": next_page}
    answer = admin.post(url("candidate_star", candidate.uid), values)
    assertRedirects(answer, url("run", candidate.run.uid))
    values = {"on": "1", "next": url("history") + "?mark=star"}
    answer = admin.post(url("candidate_star", candidate.uid), values)
    assertRedirects(answer, values["next"])


def test_more_like_this_starts_from_the_picture(
    admin: Client, candidate: Candidate, finish: Callable[[Run], Run], editor: User
) -> None:
    version = AcceptCandidate(candidate, editor).execute()
    answer = admin.post(url("candidate_vary", candidate.uid), {"way": "alike"}, follow=True)
    assertContains(answer, "More like picture 1 is in the queue.")
    run = finish(Run.objects.get(variation_of=candidate))
    made = run.candidates.first()
    assert made is not None, run.error
    assert (made.recipe["mode"], made.recipe["strength"]) == ("image-to-image", LIKENESS)
    assert made.recipe["prompt"] == candidate.recipe["prompt"]
    assert made.seed != candidate.seed
    assert (made.width, made.height) == (candidate.width, candidate.height)
    assert edited_asset(run) is None, "it is a picture of its own"
    accepted = AcceptCandidate(run.candidates.filter(state="offered").first(), editor).execute()
    edge = Lineage.objects.get(child=accepted)
    assert (edge.parent, edge.relation) == (version, "variation")
    again = StartRun(Run(title="", variation_of=made), editor).execute()
    assert again.request["edit"] == run.request["edit"]
    assert [relation for _parent, relation in parents_of(again)] == ["variation"]


def test_a_model_that_cannot_start_from_a_picture_takes_new_seeds(
    admin: Client, candidate: Candidate, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = Capabilities(schedulers=("sketch",))
    monkeypatch.setattr(FakeBackend, "capabilities", lambda self, model=None: plain)
    answer = admin.post(url("candidate_vary", candidate.uid), {"way": "alike"}, follow=True)
    assertContains(answer, "The same as picture 1, with new seeds, is in the queue.")
    run = Run.objects.get(variation_of=candidate)
    assert run.request["edit"] is None
    assert run.request["seeds"] != candidate.run.request["seeds"]


def test_the_history_is_found_by_words_maker_way_and_model(
    admin: Client, person: People, browse: Browse, finished: Run, finish: Callable[[Run], Run],
    start: Callable[..., Run],
) -> None:  # fmt: skip
    other = finish(start(subject="green kettle", title="Winter", candidates=1))
    Run.objects.filter(pk=other.pk).update(created_by=person("ann"))
    page = url("history")

    def found(**query: str) -> set[str]:
        words = admin.get(page, query).content.decode()
        return {run.title for run in (finished, other) if f"{run.title}, picture 1" in words}

    assert found() == {"Teapot", "Winter"}
    assert found(q="kettle") == {"Winter"}
    assert found(q="winter") == {"Winter"}
    assert found(by="me") == {"Teapot"}
    assert found(way="text-to-image") == {"Teapot", "Winter"}
    assert found(way="inpaint") == set()
    assert found(model=str(other.model_id)) == {"Teapot", "Winter"}
    assert found(state="rejected") == set()
    finished.candidates.update(pinned=True)
    assert found(mark="pin") == {"Teapot"}
    assert admin.get(url("history_results"), {"q": "kettle"}).status_code == 200
    thumbnail = admin.get(url("candidate_thumbnail", other.candidates.get().uid))
    assert thumbnail["Content-Type"] == "image/jpeg"
    assert "no-store" in thumbnail["Cache-Control"]


def test_the_history_costs_the_same_for_many_pictures(
    admin: Client, finished: Run, root: Collection
) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert admin.get(url("history")).status_code == 200
        return len(queries)

    count()
    few = count()
    one = finished.candidates.get(index=0)
    for index in range(2, 12):
        one.pk, one.uid, one.index = None, uuid.uuid4(), index
        one.save()
    assert count() == few
