"""Server-sent events of a run, as an ASGI server hands them out."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import AsyncClient
from django.urls import reverse
from wagtail.models import Collection, Locale
from wagtail.users.models import UserProfile

from imagepipe.views import run_stream
from imagepipe.workflow.models import Run, RunState, StepRun

pytestmark = pytest.mark.django_db(transaction=True)


def run_apart(coroutine: Any) -> Any:
    """Run it in a thread: a browser's loop may run in this one."""
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(asyncio.run(coroutine)))
    thread.start()
    thread.join()
    return found[0]



@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, transactional_db: None) -> None:
    monkeypatch.setattr(run_stream, "INTERVAL", 0.01)
    Locale.objects.get_or_create(language_code="en")
    if not Collection.get_first_root_node():
        Collection.add_root(name="Root")


def address(run: Run) -> str:
    return reverse("imagepipe_admin:run_stream", args=[run.uid])


async def get(client: AsyncClient, url: str) -> Any:
    return await client.get(url)


def client_of(user: User | None) -> AsyncClient:
    client = AsyncClient()
    if user is not None:
        client.force_login(user)
    return client


def listen(
    user: User, run: Run, *, told: str = "", until: int = 99, then: Callable | None = None
) -> list[dict[str, Any]]:
    """The events until the stream ends or so many came; ``then`` is done after the first."""

    async def listen() -> list[dict[str, Any]]:
        headers = {"last-event-id": told} if told else {}
        response = await client.get(address(run), headers=headers)
        assert response.status_code == 200
        assert response["Content-Type"] == "text/event-stream"
        assert "no-store" in response["Cache-Control"]
        found: list[dict[str, Any]] = []
        stream = aiter(response.streaming_content)
        async for chunk in stream:
            lines = dict(line.split(": ", 1) for line in chunk.decode().splitlines() if line)
            if "data" not in lines:
                continue
            assert lines["event"] == "progress"
            found.append(json.loads(lines["data"]) | {"id": lines["id"]})
            if len(found) >= until:
                break
            if then is not None and len(found) == 1:
                await asyncio.to_thread(then)
        await response.streaming_content.aclose()
        return found

    client = client_of(user)
    return run_apart(listen())


def change(run: Run, **values: Any) -> None:
    Run.objects.filter(pk=run.pk).update(**values)
    connection.close()


def test_every_change_is_told_until_the_end(editor, run):
    def finish() -> None:
        change(run, state=RunState.SUCCEEDED, progress=1)

    events = listen(editor, run, then=finish)
    assert [(event["state"], event["percent"]) for event in events] == [
        ("queued", 0),
        ("succeeded", 100),
    ]
    assert events[-1]["finished"]
    assert run_stream._open == set()


def test_who_comes_back_is_told_only_what_is_new(editor, run):
    [first] = listen(editor, run, until=1)

    def go_on() -> None:
        change(run, state=RunState.RUNNING, progress=0.5)

    [again] = listen(editor, run, told="0" * 16, until=1)
    assert again["id"] == first["id"]
    go_on()
    [news] = listen(editor, run, told=first["id"], until=1)
    assert (news["state"], news["percent"]) == ("running", 50)
    assert news["id"] != first["id"]


def test_nothing_new_is_nothing_told(editor, run, monkeypatch):
    [first] = listen(editor, run, until=1)
    monkeypatch.setattr(run_stream, "LONGEST", 0.2)
    assert listen(editor, run, told=first["id"]) == []


def test_a_step_is_news(editor, run):
    Run.objects.filter(pk=run.pk).update(state=RunState.RUNNING)

    def begin() -> None:
        StepRun.objects.create(
            run=run, node="generate-00", kind="generate", state=RunState.RUNNING, progress=0.25
        )
        connection.close()

    _first, second = listen(editor, run, until=2, then=begin)
    [step] = second["steps"]
    assert (step["node"], step["state"], step["percent"]) == ("generate-00", "running", 25)


def test_the_stream_ends_when_the_run_is_not_there_any_more(editor, run):
    assert len(listen(editor, run, then=lambda: delete(run))) == 1


def delete(run: Run) -> None:
    run.delete()
    connection.close()


def test_the_reader_is_told_in_their_language(editor, run):
    UserProfile.objects.update_or_create(user=editor, defaults={"preferred_language": "de"})
    [event] = listen(editor, run, until=1)
    assert event["state_label"] == "Wartet"


def test_strangers_hear_nothing(person, run):
    root = Collection.get_first_root_node()
    elsewhere = person("eve", "view", "generate", collection=root.add_child(name="Other"))

    def status(client: AsyncClient) -> int:
        return run_apart(get(client, address(run))).status_code

    assert status(client_of(elsewhere)) == 404
    assert status(client_of(person("publisher", "publish"))) == 404
    assert status(client_of(None)) == 302


def test_rights_that_were_taken_away_end_the_stream(person, run):
    vera = person("vera", "view")

    def take_away() -> None:
        vera.groups.clear()
        change(run, state=RunState.RUNNING)

    assert len(listen(vera, run, then=take_away)) == 1


def test_too_many_listeners_are_sent_away(editor, run, monkeypatch):
    monkeypatch.setattr(run_stream, "MOST", 0)
    response = run_apart(get(client_of(editor), address(run)))
    assert (response.status_code, response["Retry-After"]) == (503, "5")


def test_a_server_without_asgi_sends_no_events(admin, run):
    assert admin.get(address(run)).status_code == 501
    page = admin.get(reverse("imagepipe_admin:run", args=[run.uid]))
    assert "run-stream-value" not in page.content.decode()


def test_the_page_listens_under_asgi(editor, run):
    url = reverse("imagepipe_admin:run", args=[run.uid])
    page = run_apart(get(client_of(editor), url))
    assert f'data-imagepipe-run-stream-value="{address(run)}"' in page.content.decode()
