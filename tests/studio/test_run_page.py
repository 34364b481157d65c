from __future__ import annotations

import pytest
from django.urls import reverse
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from imagepipe.workflow import blobs
from imagepipe.workflow.models import Candidate, Run, RunState, StepRun

pytestmark = pytest.mark.django_db


def url(name: str, *args) -> str:
    return reverse(f"imagepipe_admin:{name}", args=args)


def test_a_waiting_run_offers_to_cancel(admin, run):
    page = admin.get(url("run", run.uid))
    assertContains(page, "Waiting for a worker …")
    assertContains(page, 'aria-live="polite"')
    assertContains(page, url("run_progress", run.uid))
    assertContains(page, 'data-imagepipe-run-finished-value="false"')
    response = admin.post(url("run_cancel", run.uid), follow=True)
    assertContains(response, "The run was cancelled.")
    run.refresh_from_db()
    assert run.state == RunState.CANCELLED
    again = admin.post(url("run_cancel", run.uid), follow=True)
    assertContains(again, "cannot become")


def test_a_cancelled_run_can_be_tried_again(admin, run):
    admin.post(url("run_cancel", run.uid))
    response = admin.post(url("run_retry", run.uid))
    repeated = Run.objects.get(retry_of=run)
    assertRedirects(response, url("run", repeated.uid))
    assertContains(admin.get(url("run", repeated.uid)), "Repeats")
    refused = admin.post(url("run_retry", repeated.uid), follow=True)
    assertContains(refused, "Only a failed or cancelled run")


def test_a_refused_prompt_says_why(admin, start, finish):
    run = finish(start("naked child"))
    assert (run.state, run.error_code) == (RunState.FAILED, "prompt-refused")
    page = admin.get(url("run", run.uid))
    assertContains(page, run.error, html=False)
    assertContains(page, "The prompt breaks a rule of this site")
    assert not run.candidates.exists()


def test_warnings_of_the_engine_are_shown(admin, finished):
    step = StepRun.objects.get(run=finished, node="generate-00")
    step.output["warnings"] = ["The prompt was cut after 77 tokens."]
    step.save()
    page = admin.get(url("run", finished.uid))
    assertContains(page, "The prompt was cut after 77 tokens.", count=1)


def test_a_changed_size_takes_the_picture_over_and_the_page_says_so(admin, start, finish):
    first = finish(start(candidates=1, seed=7, seed_policy="fixed"))
    assertContains(admin.get(url("run", first.uid)), "Computed: 6</p>")
    run = finish(start(candidates=1, seed=7, seed_policy="fixed", width=160, height=160))
    sources = dict(run.steps.values_list("node", "source"))
    assert sources.pop("generate-00") == "reused"
    assert set(sources.values()) == {"computed"} and len(sources) == 5
    page = admin.get(url("run", run.uid))
    assertContains(page, "Computed: 5 · Taken over: 1</p>")
    assertContains(page, 'data-state="reused"', count=2)
    assert admin.get(url("run_progress", run.uid)).json()["tally"].endswith("Taken over: 1")


def test_the_cards_offer_what_one_may_do(browse, person, admin, finished):
    page = admin.get(url("run", finished.uid))
    for words in ("Approve", "Reject picture", "More like this", "Technical quality: passed"):
        assertContains(page, words)
    page = browse(person("gerd", "generate")).get(url("run", finished.uid))
    assertContains(page, "More like this")
    assertNotContains(page, "Reject picture")
    page = browse(person("vera", "view")).get(url("run", finished.uid))
    assertNotContains(page, "More like this")
    assertNotContains(page, "Cancel")


def test_rejecting_with_a_reason(admin, candidate):
    response = admin.post(
        url("candidate_reject", candidate.uid),
        {"reason": "artefact", "note": "Six <fingers>"},
        follow=True,
    )
    assertContains(response, "Picture 1 was rejected.")
    assertContains(response, "Visible faults")
    assertContains(response, "Six &lt;fingers&gt;")
    candidate.refresh_from_db()
    assert candidate.state == Candidate.State.REJECTED


def test_a_rejection_needs_a_reason_from_the_list(admin, candidate):
    for data in ({}, {"reason": "because"}, {"reason": "other", "note": "x" * 2001}):
        response = admin.post(url("candidate_reject", candidate.uid), data, follow=True)
        assert response.status_code == 200
    candidate.refresh_from_db()
    assert candidate.state == Candidate.State.OFFERED


def test_more_like_this_starts_a_variation(admin, candidate):
    response = admin.post(url("candidate_vary", candidate.uid))
    run = Run.objects.get(variation_of=candidate)
    assertRedirects(response, url("run", run.uid))
    assertContains(admin.get(url("run", run.uid)), url("candidate", candidate.uid))
    assert run.request["prompt_used"] == candidate.run.request["prompt_used"]
    assert run.request["seeds"] != candidate.run.request["seeds"]


def test_more_like_this_says_why_it_cannot(admin, candidate, model):
    type(model).objects.update(state="retired")
    response = admin.post(url("candidate_vary", candidate.uid), follow=True)
    assertContains(response, "not allowed for production")
    assert not Run.objects.filter(variation_of=candidate).exists()


def test_a_source_that_one_may_not_see_is_not_named(browse, person, finished, start, root):
    own = root.add_child(name="Own")
    source = finished.candidates.get(index=0)
    run = start(title="Harmless")
    Run.objects.filter(pk=run.pk).update(collection=own, variation_of=source)
    Run.objects.filter(pk=finished.pk).update(title="Merger of next year")
    page = browse(person("vera", "view", collection=own)).get(url("run", run.uid))
    assertContains(page, "Harmless")
    assertNotContains(page, "Merger of next year")
    page = browse(person("boss", "view")).get(url("run", run.uid))
    assertContains(page, "Merger of next year")


def test_a_preview_beyond_all_candidates_is_not_found(admin, run):
    blobs.replace(blobs.preview_name(run.uid.hex, 0), b"a preview")
    assert admin.get(url("candidate_preview", run.uid, 0)).status_code == 200
    assert admin.get(url("candidate_preview", run.uid, 10**300)).status_code == 404
