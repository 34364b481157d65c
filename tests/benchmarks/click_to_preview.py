"""From the click on “Generate” to the first preview in the browser, cold and warm.

::

    OMP_NUM_THREADS=1 python -m pytest -q -s -n 0 tests/benchmarks/click_to_preview.py

A real browser, an ASGI server, the worker with its usual pauses and the trained model, all in
one process. The first picture loads libraries and weights; the next ones find the model loaded.
``WARM_PICTURES`` says how many of those (5). Prints one line of JSON: seconds of the clock,
which busy machines stretch.
"""

from __future__ import annotations

import itertools
import json
import os
import statistics
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import User
from django.db import connections

from imagepipe.registry.models import RegisteredModel
from imagepipe.workflow.actions import StartRun
from imagepipe.workflow.briefs import Brief
from imagepipe.workflow.models import Run
from imagepipe.workflow.worker import Worker
from tests.browser.asgi_server import asgi_server
from tests.browser.conftest import browser, editor, key_folder, open_browser
from tests.browser.studio_pages import fill_brief, wait_for_end

if TYPE_CHECKING:
    from playwright.sync_api import Page

__all__ = ["asgi_server", "browser", "editor", "key_folder", "open_browser"]

WATCH = """
document.addEventListener('click', (event) => {
  if (event.target.closest('button[type=submit]')) sessionStorage.clicked = Date.now();
}, true);
document.addEventListener('load', (event) => {
  if (window.waited !== undefined || !sessionStorage.clicked) return;
  const { target } = event;
  if (target.matches && target.matches('[data-preview], .imagepipe-card__picture img')) {
    window.waited = (Date.now() - Number(sessionStorage.clicked)) / 1000;
  }
}, true);
"""


@pytest.fixture
def usual_worker(editor: User) -> Iterator[Worker]:
    """It pauses between looks as one that was started by hand."""
    worker = Worker()

    def work() -> None:
        try:
            worker.run_forever()
        finally:
            connections.close_all()

    thread = threading.Thread(target=work, name="worker")
    thread.start()
    yield worker
    worker.stop()
    thread.join(60)


def sketched(editor: User) -> Run:
    """A run of an engine that loads nothing."""
    model = RegisteredModel.objects.create(
        slug="sketch", name="Sketch", backend="fake", location="fake", licence="MIT",
        native_width=64, native_height=64, defaults={"steps": 2}, state="allowed",
    )  # fmt: skip
    brief = Brief(prompt="a boat", candidates=1, width=64, height=64)
    return StartRun(Run(title="Sketch", model=model), editor, brief=brief).execute()


def wait(page: Page, subject: str) -> float:
    """Seconds from the click to the first picture that is seen."""
    fill_brief(page, title=subject.title(), subject=subject, candidates=1)
    page.get_by_role("button", name="Generate", exact=True).click()
    page.wait_for_url("**/runs/*/")
    page.wait_for_function("() => window.waited !== undefined")
    seconds = float(page.evaluate("window.waited"))
    wait_for_end(page)
    return seconds


def test_click_to_preview(
    asgi_server: str, open_browser: Callable[..., Any], editor: User, usual_worker: Worker
) -> None:
    page = open_browser(base_url=asgi_server)
    page.goto(f"/admin/imagepipe/runs/{sketched(editor).uid}/")  # for the browser's own cache
    wait_for_end(page)
    page.add_init_script(WATCH)
    cold = wait(page, "apple")
    subjects = itertools.islice(itertools.cycle(("panda", "key", "teapot")), rounds())
    warm = [wait(page, subject) for subject in subjects]
    result = {"cold": round(cold, 2), "warm": round(statistics.median(warm), 2), "each": warm}
    print(json.dumps(result | {"load average": round(os.getloadavg()[0], 1)}))


def rounds() -> int:
    return int(os.environ.get("WARM_PICTURES", "5"))
