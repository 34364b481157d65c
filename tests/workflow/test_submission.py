"""Asking twice for the same makes one run, whatever dies in between."""

from __future__ import annotations

import contextlib
import json
import re
import signal
import sqlite3
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from tests.sandbox import Sandbox

LOGIN = """
import json
from django.contrib.auth.models import User
from django.test import Client
client = Client()
client.force_login(User.objects.create_superuser("ada", "ada@example.com", "ada"))
print(json.dumps({name: morsel.value for name, morsel in client.cookies.items()}))
"""
WEB = """
import os, signal
from wsgiref.simple_server import make_server
from django.core.wsgi import get_wsgi_application
from django.db.models.signals import post_save
from imagepipe.events import bus
from imagepipe.models import Run
def die(*arguments, **options):
    os.kill(os.getpid(), signal.SIGKILL)
if {dies!r} == "before the commit":
    post_save.connect(die, sender=Run)
if {dies!r} == "after the commit":
    bus.subscribe(bus.RunQueued, die)
server = make_server("127.0.0.1", 0, get_wsgi_application())
print(server.server_port, flush=True)
server.serve_forever()
"""
ASK_AT_ONCE = """
import json, threading
from django.db import connection
from imagepipe.models import PromptTemplate, Run
from imagepipe.workflow.actions import StartRun
from imagepipe.workflow.briefs import Brief
told, failures = [], []
together = threading.Barrier(4)
def ask():
    try:
        run = Run(title="t", template=PromptTemplate.objects.get(), idempotency_key="once")
        together.wait()
        brief = Brief(variables={"subject": "tea"}, candidates=1)
        told.append(StartRun(run, None, brief=brief).execute().uid.hex)
    except Exception as error:
        failures.append(repr(error))
    finally:
        connection.close()
print("ready", flush=True)
import pathlib, time
while not pathlib.Path("go").exists():
    time.sleep(0.005)
threads = [threading.Thread(target=ask) for _ in range(4)]
[t.start() for t in threads]; [t.join() for t in threads]
assert not failures, failures
print(json.dumps(told))
"""


def runs(box: Sandbox) -> list[str]:
    with contextlib.closing(sqlite3.connect(box.folder / "db.sqlite3", timeout=20)) as database:
        return [uid for (uid,) in database.execute("select uid from imagepipe_run")]


@contextlib.contextmanager
def web(box: Sandbox, dies: str = "") -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A web process of its own; ``dies`` is the moment at which it is killed."""
    process = box.start(WEB.format(dies=dies))
    assert process.stdout is not None
    try:
        yield f"http://127.0.0.1:{int(process.stdout.readline())}", process
    finally:
        process.kill()
        process.communicate(timeout=30)


class Browser:
    """Somebody logged in, who can send the same form again."""

    def __init__(self, cookies: dict[str, str]) -> None:
        self.cookies = cookies
        self._opener = urllib.request.build_opener(_Stay)

    def open(self, address: str, data: dict[str, str] | None = None) -> Any:
        body = None if data is None else urllib.parse.urlencode(data).encode()
        written = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        request = urllib.request.Request(address, body, {"Cookie": written})
        with self._opener.open(request, timeout=60) as answer:
            for cookie in answer.headers.get_all("Set-Cookie", ()):
                name, _equals, value = cookie.partition(";")[0].partition("=")
                self.cookies[name] = value
            return answer.status, answer.headers.get("Location", ""), answer.read().decode()


class _Stay(urllib.request.HTTPErrorProcessor):
    """Redirects are answers like others."""

    def http_response(self, request: Any, response: Any) -> Any:
        return response


def filled_in(page: str) -> dict[str, str]:
    hidden = {
        name: re.search(f'name="{name}" value="([^"]+)"', page).group(1)
        for name in ("csrfmiddlewaretoken", "sheet")
    }
    template = re.search(r'<option value="(\d+)" selected', page).group(1)
    return hidden | {
        "title": "Tea", "template": template, "variable_subject": "tea", "candidates": "1",
        "priority": "0",
    }  # fmt: skip


@pytest.mark.slow
def test_a_form_sent_again_after_the_web_process_was_killed_makes_one_run(sandbox):
    box = sandbox()
    browser = Browser(box.run(LOGIN))
    with web(box, "before the commit") as (address, process):
        status, _location, page = browser.open(f"{address}/admin/imagepipe/generate/")
        assert status == 200
        form = filled_in(page)
        with pytest.raises((urllib.error.URLError, ConnectionError, OSError)):
            browser.open(f"{address}/admin/imagepipe/generate/", form)
        assert process.wait(timeout=30) == -signal.SIGKILL
    assert runs(box) == []
    with web(box, "after the commit") as (address, process):
        with pytest.raises((urllib.error.URLError, ConnectionError, OSError)):
            browser.open(f"{address}/admin/imagepipe/generate/", form)
        assert process.wait(timeout=30) == -signal.SIGKILL
    [made] = runs(box)
    with web(box) as (address, _process):
        for _time in range(2):
            status, location, _page = browser.open(f"{address}/admin/imagepipe/generate/", form)
            assert status == 302
            assert location.replace("-", "").endswith(f"/runs/{made}/")
        assert runs(box) == [made]
        browser.open(f"{address}/admin/imagepipe/generate/", form | {"candidates": "2"})
        assert len(runs(box)) == 2


@pytest.mark.slow
def test_many_who_ask_at_once_with_one_key_are_told_of_one_run(sandbox):
    box = sandbox(MAX_WAITING=1)
    processes = [box.start(ASK_AT_ONCE) for _ in range(2)]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    (box.folder / "go").touch()
    told = []
    for process in processes:
        output, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
        told += json.loads(output.splitlines()[-1])
    assert len(told) == 8
    assert set(told) == set(runs(box)) and len(runs(box)) == 1
