"""The queue with the keyboard and the mouse, in both themes and on a telephone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.utils import timezone

from imagepipe.prompts.models import PromptTemplate
from imagepipe.workflow.actions import StartRun
from imagepipe.workflow.briefs import Brief
from imagepipe.workflow.models import ErrorClass, Run, RunState, StepRun
from imagepipe.workflow.queue_models import QueueWorker, Quota
from tests.browser.conftest import PHONE
from tests.browser.studio_pages import GENERATE, darken, overflow, violations

pytestmark = [pytest.mark.browser, pytest.mark.slow]
QUEUE = "/admin/imagepipe/queue/"
TITLES = ("Teapots for spring", "Owls for the zoo", "Balloons", "A lighthouse")


@pytest.fixture
def runs(editor: User) -> list[Run]:
    """One that runs, three that wait, one that failed, and a measured one before them."""

    def start(title: str, subject: str = "teapot") -> Run:
        brief = Brief(variables={"subject": subject}, candidates=2)
        run = Run(title=title, template=PromptTemplate.objects.get())
        return StartRun(run, editor, brief=brief).execute()

    now = timezone.now()
    minute = dt.timedelta(seconds=64)
    change(
        start("Measured"), state=RunState.SUCCEEDED, attempt=1,
        started_at=now - minute, finished_at=now,
    )  # fmt: skip
    broken = start("A panda too large")
    change(
        broken, state=RunState.FAILED, error_class=ErrorClass.TERMINAL, attempt=3,
        finished_at=now, error="The accelerator's memory is too small for the model.",
    )  # fmt: skip
    running = start("Mugs for the shop")
    change(
        running, state=RunState.RUNNING, attempt=1, progress=0.4,
        started_at=now - minute / 3, lease_until=now + dt.timedelta(hours=1),
    )  # fmt: skip
    StepRun.objects.create(
        run=running, node="generate-00", kind="generate", state=RunState.RUNNING, progress=0.8
    )
    worker: dict[str, Any] = {"started_at": now - 60 * minute, "seen_at": now}
    QueueWorker.objects.create(
        name="gpu-1:4711:a", host="gpu-1", pid=4711, engine="database", run=running,
        state="busy", models_loaded=["pocket-objects"],
        resources=["gpu"], memory_bytes=3_400_000_000, memory_limit_bytes=16_000_000_000,
        executed=112, model_swaps=3, **worker,
    )  # fmt: skip
    gone = worker | {"seen_at": now - 10 * minute}
    QueueWorker.objects.create(name="cpu-1:12:b", host="cpu-1", pid=12, engine="celery", **gone)
    return [start(title) for title in TITLES]


def change(run: Run, **values: Any) -> None:
    Run.objects.filter(pk=run.pk).update(**values)


def titles(page: Any) -> list[str]:
    return page.locator("tr[data-run] td.title a").all_inner_texts()


def said(page: Any, text: str) -> None:
    page.locator("[aria-live=polite][data-imagepipe-queue-target=live]").get_by_text(
        text
    ).wait_for(state="attached")


def test_reorder_pause_cancel_and_retry_with_the_keyboard(page, runs):
    page.goto(QUEUE)
    first, second, third, fourth = TITLES
    assert titles(page) == ["Mugs for the shop", *TITLES]

    page.get_by_role("link", name=third).focus()
    page.keyboard.press("Alt+ArrowUp")
    said(page, f"“{third}” was moved.")
    assert titles(page)[1:] == [first, third, second, fourth]
    page.keyboard.press("Alt+ArrowUp")
    page.wait_for_function(
        "title => document.querySelectorAll('tr[data-run] td.title a')[1].innerText == title",
        arg=third,
    )
    focused = page.evaluate("document.activeElement.innerText.trim()")
    assert focused == f"Move {third} forward"

    pause = page.get_by_role("button", name=f"Pause {second}")
    pause.focus()
    page.keyboard.press("Enter")
    said(page, f"“{second}” is paused.")
    resume = page.get_by_role("button", name=f"Resume {second}")
    assert resume.evaluate("e => e === document.activeElement")
    assert Run.objects.get(title=second).paused
    page.keyboard.press("Space")
    said(page, f"“{second}” goes on.")
    assert not Run.objects.get(title=second).paused

    page.get_by_role("button", name=f"Cancel {first}").focus()
    page.keyboard.press("Enter")
    said(page, f"“{first}” was cancelled.")
    assert first not in titles(page)
    assert page.evaluate("document.activeElement.closest('tr[data-run]') !== null")

    page.get_by_role("link", name="Failed", exact=True).click()
    page.get_by_role("button", name="Try again A panda too large").focus()
    page.keyboard.press("Enter")
    said(page, "is tried again")
    assert Run.objects.get(title="A panda too large").state == RunState.QUEUED


def test_several_at_once_and_by_dragging(page, runs):
    page.goto(QUEUE)
    first, second, third, fourth = TITLES
    page.locator("tr[data-run]", has_text=fourth).get_by_text("Normal").hover()
    page.mouse.down()
    target = page.locator("tr[data-run]", has_text=first).get_by_text("Normal")
    target.hover()
    target.hover()
    page.mouse.up()
    said(page, f"“{fourth}” was moved.")
    assert titles(page)[1:] == [fourth, first, second, third]

    page.get_by_label(f"Choose {second}").check()
    page.get_by_label(f"Choose {third}").check()
    page.get_by_label("Priority").select_option(label="Urgent")
    page.get_by_role("button", name="Set priority").click()
    said(page, "2 runs have another priority.")
    assert titles(page)[1:] == [second, third, fourth, first]
    assert page.locator("input[name=run]:checked").count() == 0


def test_the_table_follows_what_others_do(page, runs):
    page.goto(QUEUE)
    page.get_by_label(f"Choose {TITLES[1]}").check()
    page.get_by_label(f"Choose {TITLES[1]}").focus()
    change(runs[0], state=RunState.CANCELLED)
    page.locator("tr[data-run]", has_text=TITLES[0]).wait_for(state="detached")
    box = page.get_by_label(f"Choose {TITLES[1]}")
    assert box.is_checked()
    assert box.evaluate("e => e === document.activeElement")


@pytest.mark.parametrize("device", ["desktop", "phone"])
def test_axe_finds_nothing_and_nothing_sticks_out(
    device: str, open_browser: Callable, runs: list[Run], shoot: Callable, settings: Any
):
    prices = {"ENGINE_PRICES": {"diffusers": {"picture": "0.04"}}}
    settings.IMAGEPIPE = settings.IMAGEPIPE | prices
    looks: dict[str, Any] = {}
    if device == "phone":
        looks = {"viewport": PHONE, "has_touch": True, "is_mobile": True}
    page = open_browser(QUEUE, **looks)
    change(runs[3], paused=True)
    running = Run.objects.get(state=RunState.RUNNING)
    quota = Quota.objects.create(unit="pictures", period="week", amount=400)
    Quota.objects.create(
        unit="seconds", period="month", amount=7200, group=Group.objects.create(name="Shop")
    )
    Quota.objects.create(unit="cost", period="month", amount=5)
    for name, address in {
        "queue": QUEUE,
        "queue-failed": f"{QUEUE}?show=failed",
        "workers": f"{QUEUE}workers/",
        "quotas": f"{QUEUE}quotas/",
        "quota": f"{QUEUE}quotas/{quota.pk}/",
        "quota-ask": f"{QUEUE}quotas/{quota.pk}/ask/",
        "generate-cost": GENERATE,
        "run-graph": f"/admin/imagepipe/runs/{running.uid}/",
    }.items():
        page.emulate_media(color_scheme="light")
        page.goto(address)
        page.wait_for_load_state("load")
        page.locator("main").wait_for()
        if name == "run-graph":
            page.locator("#steps summary, #steps-section summary, details summary").last.click()
            page.locator("svg [data-node]").first.scroll_into_view_if_needed()
        if name == "generate-cost":
            cost = page.locator("[data-controller=imagepipe-cost]")
            cost.get_by_text("About 0.16 EUR for 4 pictures.").wait_for()
            page.get_by_label("Candidates").fill("8")
            page.get_by_label("Candidates").press("Tab")
            cost.get_by_text("About 0.32 EUR for 8 pictures. 0.00 are used of 5 EUR").wait_for()
            cost.scroll_into_view_if_needed()
        assert violations(page) == [], name
        assert overflow(page) == 0, name
        shoot(page, name if device == "desktop" else f"{name}-phone")
        if device == "desktop":
            assert darken(page) == [], name
            shoot(page, f"{name}-dark")
