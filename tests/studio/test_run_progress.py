from __future__ import annotations

import datetime as dt
import uuid

import pytest
from django.urls import reverse
from django.utils import timezone

from imagepipe.workflow import blobs
from imagepipe.workflow.models import Candidate, Run, RunState, StepRun

pytestmark = pytest.mark.django_db


def progress_of(client, run: Run) -> dict:
    response = client.get(reverse("imagepipe_admin:run_progress", args=[run.uid]))
    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]
    return response.json()


def test_a_waiting_run(admin, run):
    data = progress_of(admin, run)
    assert (data["state"], data["finished"], data["percent"]) == ("queued", False, 0)
    assert data["message"] == "Waiting for a worker …"
    assert [c["state"] for c in data["candidates"]] == ["waiting", "waiting"]
    assert [c["seed"] for c in data["candidates"]] == run.request["seeds"]
    assert [c["uid"] for c in data["candidates"]] == [None, None]


def test_the_queue_before_a_run_is_counted(admin, start):
    first, urgent, last = start(), start(priority=50), start()
    assert progress_of(admin, first)["message"] == "Waiting: 1 run is before this one."
    assert progress_of(admin, last)["message"] == "Waiting: 2 runs are before this one."
    assert progress_of(admin, urgent)["message"] == "Waiting for a worker …"


def test_a_paused_run_and_one_between_attempts_say_so(admin, run):
    Run.objects.update(not_before=timezone.now() + dt.timedelta(seconds=60.5))
    assert progress_of(admin, run)["message"].startswith("The last attempt failed. It is tried")
    Run.objects.update(paused=True)
    assert progress_of(admin, run)["message"].startswith("Paused. It waits until")


def test_a_run_in_the_making_shows_stage_percent_and_preview(admin, run):
    Run.objects.update(state=RunState.RUNNING, progress=0.256, message="Picture 1: step 3")
    StepRun.objects.create(
        run=run, node="generate-00", kind="generate", state=RunState.RUNNING, progress=0.5
    )
    blobs.replace(blobs.preview_name(run.uid.hex, 0), b"\xff\xd8\xff jpeg")
    data = progress_of(admin, run)
    assert (data["percent"], data["message"]) == (26, "Picture 1: step 3")
    first, second = data["candidates"]
    assert (first["state"], first["state_label"], first["percent"]) == (
        "making",
        "Generating",
        50,
    )
    assert (second["state"], second["preview_url"]) == ("waiting", "")
    picture = admin.get(first["preview_url"])
    assert (picture.status_code, picture["Content-Type"]) == (200, "image/jpeg")
    assert {"private", "no-store"} <= set(picture["Cache-Control"].split(", "))
    assert picture["X-Content-Type-Options"] == "nosniff"


def test_a_finished_run_has_pictures_with_checks_in_words(admin, finished):
    data = progress_of(admin, finished)
    assert (data["state"], data["finished"], data["percent"]) == ("succeeded", True, 100)
    first = data["candidates"][0]
    candidate = finished.candidates.get(index=0)
    assert first["uid"] == candidate.uid.hex
    assert first["state_label"] == "Offered"
    labels = [check["label"] for check in first["checks"]]
    assert labels == ["Technical quality", "Safe content", "No duplicate"]
    assert all(check["passed"] and check["reason"] for check in first["checks"])
    assert admin.get(first["picture_url"])["Content-Type"] == "image/png"


def test_the_card_of_a_refused_picture_says_why(admin, finished):
    findings = [
        {"check": "technical", "outcome": "refused", "code": "noise", "message": "x"},
        {"check": "own", "outcome": "skipped", "code": "y", "message": "<b>Not</b> installed"},
    ]
    Candidate.objects.filter(index=0).update(state="refused", findings=findings)
    url = reverse("imagepipe_admin:candidate_card", args=[finished.uid, 0])
    page = admin.get(url).content.decode()
    assert "Technical quality: refused" in page
    assert "The picture is mostly noise." in page
    assert "own: not checked" in page
    assert "&lt;b&gt;Not&lt;/b&gt; installed" in page
    assert "Approve" not in page
    assert "More like this" in page
    beyond = reverse("imagepipe_admin:candidate_card", args=[finished.uid, 9])
    assert admin.get(beyond).status_code == 404


def test_strangers_learn_nothing_about_a_run(browse, person, run, root):
    elsewhere = person("eve", "generate", "view", collection=root.add_child(name="Other"))
    url = reverse("imagepipe_admin:run_progress", args=[run.uid])
    assert browse(elsewhere).get(url).status_code == 404
    assert browse(person("publisher", "publish")).get(url).status_code == 404
    assert browse(None).get(url).status_code == 302
    assert browse(person("viewer", "view")).get(url).status_code == 200
    unknown = reverse("imagepipe_admin:run_progress", args=[uuid.uuid4()])
    assert browse(elsewhere).get(unknown).status_code == 404


def test_one_answer_costs_few_queries(admin, finished, django_assert_max_num_queries):
    progress_of(admin, finished)
    with django_assert_max_num_queries(8):
        progress_of(admin, finished)
