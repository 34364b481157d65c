"""SQLite under everything at once: editors, workers, an edge, and people watching progress.

Ten seconds in the suite; a minute or more with ``IMAGEPIPE_CAMPAIGN_SECONDS=60``.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import json
import os
import random
import socket
import sqlite3
import statistics
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from PIL import Image

from tests.campaigns.site_under_load import SETTINGS, URLS, USERS
from tests.edge.conftest import Server
from tests.sandbox import Sandbox

SECONDS = float(os.environ.get("IMAGEPIPE_CAMPAIGN_SECONDS", "10"))
EDITORS, WORKERS, WATCHERS = 3, 4, 4
SLOWEST_WRITE = 10.0
"""Seconds; far above what is seen, and below what would be a timeout."""


class Campaign:
    """Threads that use the site over HTTP, and what they saw."""

    def __init__(self, address: str, token: str) -> None:
        self.address, self.end = address, time.monotonic() + SECONDS
        self.token = {"Authorization": f"Bearer {token}"}
        self.writes: list[float] = []
        self.answers: Counter[tuple[str, int]] = Counter()
        self.problems: list[str] = []
        self.pictures = itertools.count()

    def run(self) -> None:
        roles = [self.edit] * EDITORS + [self.watch] * WATCHERS + [self.visit]
        threads = [
            threading.Thread(target=self._guard, args=(role, number))
            for number, role in enumerate(roles)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(SECONDS + 60)
            assert not thread.is_alive()

    def _guard(self, role: Callable[[int, requests.Session], None], number: int) -> None:
        try:
            with requests.Session() as session:
                while time.monotonic() < self.end:
                    role(number, session)
        except Exception as error:  # noqa: BLE001
            self.problems.append(f"{role.__name__}: {error!r}")

    def edit(self, number: int, session: requests.Session) -> None:
        """Upload, rename, publish, ask for pictures, and now and then withdraw."""
        file = {"file": (f"load{number}.png", self._picture(), "image/png")}
        images = f"{self.address}/api/v3/images/"
        answer = self.write(
            session, "POST", images, data={"title": "Load"}, files=file, headers=self.token
        )
        key = answer.json()["id"]
        words = {"title": f"Load {key}", "description": "A field"}
        self.write(session, "PATCH", f"{images}{key}/", json=words, headers=self.token)
        self.act(session, "publish", image=key)
        self.act(session, "start", subject=f"boat {key}")
        if random.random() < 0.5:
            self.act(session, "withdraw", image=key)

    def act(self, session: requests.Session, verb: str, **data: Any) -> None:
        self.write(session, "POST", f"{self.address}/act/{verb}/", json=data)

    def write(
        self, session: requests.Session, method: str, url: str, **options: Any
    ) -> requests.Response:
        begin = time.monotonic()
        answer = session.request(method, url, timeout=60, **options)
        self.writes.append(time.monotonic() - begin)
        self._note(method, answer)
        return answer

    def watch(self, number: int, session: requests.Session) -> None:
        self._note("progress", session.get(f"{self.address}/progress/", timeout=60))
        time.sleep(0.25)

    def visit(self, number: int, session: requests.Session) -> None:
        known = session.get(f"{self.address}/publications/", timeout=60).json()["urls"]
        for url in random.sample(known, min(5, len(known))):
            answer = session.get(url, timeout=60)
            self._note("edge", answer, allowed={200, 404, 410})
        time.sleep(0.1)

    def _note(
        self, what: str, answer: requests.Response, allowed: set[int] | None = None
    ) -> None:
        self.answers[what, answer.status_code] += 1
        if answer.status_code not in (allowed or {200, 201}):
            self.problems.append(f"{what} {answer.status_code}: {answer.text[-2000:]}")

    def _picture(self) -> bytes:
        number, file = next(self.pictures), io.BytesIO()
        colour = (number % 256, number // 256, 40)
        Image.new("RGB", (320, 240), colour).save(file, "PNG")
        return file.getvalue()


def rows(box: Sandbox, query: str) -> list[Any]:
    with contextlib.closing(sqlite3.connect(box.folder / "db.sqlite3", timeout=20)) as database:
        return database.execute(query).fetchall()


def wait_for(condition: Callable[[], Any], seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.2)


@pytest.fixture
def box(sandbox: Callable[..., Sandbox], tmp_path: Path) -> Iterator[tuple[Sandbox, Server]]:
    """An installation with an edge in front of it."""
    box = sandbox()
    delivery = box.folder / "delivery"
    delivery.mkdir(exist_ok=True)
    keys = box.folder / "keys"
    edge = Server(
        {
            "IMAGEPIPE_EDGE_STORAGE": str(delivery),
            "IMAGEPIPE_EDGE_CACHE": str(tmp_path / "edge-cache"),
            "IMAGEPIPE_EDGE_URL_KEYS": str(keys / "url-keys.json"),
            "IMAGEPIPE_EDGE_GRANT_KEYS": str(keys / "grant-keys.json"),
            "IMAGEPIPE_EDGE_IDENTITY": str(keys / "credentials/edge"),
            "IMAGEPIPE_EDGE_POLL": "0.5",
        },
        tmp_path / "edge.log",
    )
    options = {
        "EDGE_URL": f"http://127.0.0.1:{edge.port}",
        "BACKENDS": {"fake": {"seconds_per_step": 0.005}},
    }
    box.environment |= {"SANDBOX_IMAGEPIPE": json.dumps(options)}
    try:
        yield box, edge
    finally:
        edge.stop()


def start_site(box: Sandbox) -> tuple[str, Any]:
    (box.folder / "load_settings.py").write_text(SETTINGS)
    (box.folder / "load_urls.py").write_text(URLS)
    box.environment |= {"DJANGO_SETTINGS_MODULE": "load_settings"}
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = ["-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1"]
    command += ["--port", str(port), "--workers", "2", "--blocking-threads", "4"]
    process = box.start_command(*command, "website.wsgi:application")
    address = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        assert process.poll() is None, (box.folder / "log.txt").read_text()
        try:
            return requests.get(f"{address}/progress/", timeout=10).ok
        except requests.ConnectionError:
            return False

    wait_for(answers)
    return address, process


WORKER = """
import django; django.setup()
from django.core.management import call_command
call_command("imagepipe", "worker", "--poll", "0.2")
"""


@pytest.mark.slow
def test_nothing_is_ever_locked(
    box: tuple[Sandbox, Server], record_property: Callable[[str, object], None]
) -> None:
    sandbox, edge = box
    token = sandbox.run(USERS)
    address, web = start_site(sandbox)
    workers = [sandbox.start_command("-c", WORKER) for _number in range(WORKERS)]
    try:
        log = sandbox.folder / "log.txt"
        wait_for(lambda: log.read_text().count("is ready.") == WORKERS)
        campaign = Campaign(address, token)
        campaign.run()
        assert campaign.problems == []
        wait_for(lambda: not unfinished(sandbox))
    finally:
        for process in (*workers, web):
            process.terminate()
        statuses = [process.wait(timeout=60) for process in (*workers, web)]

    text = log.read_text() + edge.log.read_text()
    assert "database is locked" not in text
    assert "Traceback" not in text
    assert statuses == [0] * (WORKERS + 1)
    runs = Counter(state for (state,) in rows(sandbox, "select state from imagepipe_run"))
    assert set(runs) == {"succeeded"}
    assert rows(sandbox, "select count(*) from imagepipe_run where error != ''") == [(0,)]
    failed = "select last_error from imagepipe_publication where last_error != ''"
    assert rows(sandbox, failed) == []
    assert rows(sandbox, "pragma integrity_check") == [("ok",)]
    assert campaign.answers["edge", 200], campaign.answers
    p95 = statistics.quantiles(campaign.writes, n=20)[-1]
    record_property("writes", len(campaign.writes))
    record_property("write_p95_ms", round(1000 * p95))
    record_property("runs", runs["succeeded"])
    sys.stdout.write(
        f"{SECONDS:.0f} s: {len(campaign.writes)} writes, p95 {1000 * p95:.0f} ms, longest "
        f"{1000 * max(campaign.writes):.0f} ms; {runs['succeeded']} runs; "
        f"{dict(campaign.answers)}\n"
    )
    assert max(campaign.writes) < SLOWEST_WRITE


def unfinished(box: Sandbox) -> int:
    [(runs,)] = rows(
        box, "select count(*) from imagepipe_run where state in ('queued', 'running')"
    )
    [(publications,)] = rows(
        box, "select count(*) from imagepipe_publication where observed < desired"
    )
    return int(runs + publications)


PREPARE = """
import io, json
from PIL import Image
from imagepipe.assets.actions import IngestVersion, SetAltText
from imagepipe.assets.inspection import inspect_picture
from imagepipe.assets.models import Asset
from imagepipe.review.actions import ApproveVersion
from imagepipe.rights.actions import SetRights
file = io.BytesIO(); Image.new("RGB", (320, 240), "teal").save(file, "PNG")
asset, content = Asset(title="Crash"), file.getvalue()
version = IngestVersion(
    asset, None, content=content, facts=inspect_picture(content), origin="uploaded").execute()
SetRights(asset, None, values={"licence": "MIT", "rights_holder": "Ada"}).execute()
SetAltText(asset, None, texts={"en": "Teal"}).execute()
ApproveVersion(version, None).execute()
from imagepipe.delivery.addresses import edge_url
from imagepipe.delivery.documents import build_document
from imagepipe.urlspec import parse_transform
asset.published_version = version
print(json.dumps(edge_url(build_document(asset), parse_transform("w_160"), "png")))
"""
CRASH = """
import os
from django.db import transaction
from imagepipe.assets.models import Asset
from imagepipe.delivery.actions import PublishVersion, WithdrawAsset
asset = Asset.objects.get()
with transaction.atomic():
    transaction.on_commit(lambda: os.kill(os.getpid(), 9))
    {action}.execute()
"""
PUBLISH = "PublishVersion(asset.latest_version(), None)"
WITHDRAW = "WithdrawAsset(asset, None, reason='crash')"
REPAIR = """
from imagepipe.delivery.reconcile import reconcile_now
assert reconcile_now().written
"""


def crash(box: Sandbox, action: str) -> None:
    process = box.start(CRASH.format(action=action))
    process.communicate(timeout=60)
    assert process.returncode == -9


def test_a_crash_between_commit_and_publication_is_repaired_by_another_process(
    box: tuple[Sandbox, Server],
) -> None:
    sandbox, edge = box
    path = "/" + sandbox.run(PREPARE).split("/", 3)[3]
    state = "select desired, observed from imagepipe_publication"

    crash(sandbox, PUBLISH)
    assert rows(sandbox, state) == [(1, 0)]
    assert not list((sandbox.folder / "delivery").glob("grants/*"))
    assert edge.get(path).status == 404
    sandbox.run(REPAIR)
    assert rows(sandbox, state) == [(1, 1)]
    wait_for(lambda: edge.get(path).status == 200, 10)
    assert edge.get(path).image.convert("RGB").getpixel((80, 60)) == (0, 128, 128)
    [media] = (sandbox.folder / "media").rglob("*.png")
    with Image.open(media) as picture:
        assert picture.convert("RGB").getpixel((1, 1)) == (0, 128, 128)

    crash(sandbox, WITHDRAW)
    assert rows(sandbox, state) == [(2, 1)]
    assert edge.get(path).status == 200
    sandbox.run(REPAIR)
    wait_for(lambda: edge.get(path).status == 410, 10)
    assert rows(sandbox, state) == [(2, 2)]
    [media] = (sandbox.folder / "media").rglob("*.png")
    with Image.open(media) as picture:
        assert picture.convert("RGB").getpixel((1, 1)) == (226, 226, 226)
