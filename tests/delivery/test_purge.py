"""A publication tells the purge targets, and never waits for them."""

from __future__ import annotations

import datetime as dt
import io
import time
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from imagepipe.delivery.actions import PublishVersion, WithdrawAsset
from imagepipe.delivery.models import PendingPurge
from imagepipe.delivery.purge import outbox, probe
from imagepipe.delivery.purge.outbox import Sender, request_purge
from imagepipe.delivery.purge.target import PurgeFailed
from imagepipe.delivery.reconcile import reconcile_now
from tests.delivery.library import Library
from tests.delivery.purge_apis import Api, api, options_for


def use(settings: Any, *servers: Api, **extra: Any) -> None:
    targets = [
        options_for(server) | {"name": f"{server.kind}-{number}"} | extra
        for number, server in enumerate(servers)
    ]
    settings.IMAGEPIPE = {**settings.IMAGEPIPE, "PURGE_TARGETS": targets}


def test_a_publication_tells_every_target(library: Library, settings: Any) -> None:
    with api("edge") as first, api("edge") as second, api("fastly") as cdn:
        use(settings, first, second, cdn)
        asset = library.asset()
        for server in (first, second, cdn):
            server.cached = {f"asset-{asset.uid.hex}", "collection-9"}
        PublishVersion(library.version(asset), None).execute()

        assert reconcile_now().written == [asset.uid.hex]
        Sender().finish()

        for server in (first, second, cdn):
            assert server.cached == {"collection-9"}
            assert len(server.requests) == 1
    assert not PendingPurge.objects.exists()


def test_a_target_that_is_down_blocks_nothing_and_is_told_again(
    library: Library, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with api("edge") as good, api("cloudflare") as bad:
        use(settings, good, bad)
        asset = library.asset()
        tag = f"asset-{asset.uid.hex}"
        good.cached, bad.cached, bad.broken = {tag}, {tag}, 500
        PublishVersion(library.version(asset), None).execute()

        assert reconcile_now().written == [asset.uid.hex]
        assert library.publication(asset).observed == 1
        Sender().finish()

        assert (good.cached, bad.cached) == (set(), {tag})
        row = PendingPurge.objects.get()
        assert (row.target, row.attempts) == ("cloudflare-1", 1)
        assert "500" in row.last_error
        assert row.retry_at is not None
        pause = row.retry_at - timezone.now()
        assert dt.timedelta(0) < pause <= dt.timedelta(seconds=2)
        bad.broken = 0
        Sender().finish()
        assert bad.cached == {tag}, "not before its time"
        PendingPurge.objects.update(retry_at=timezone.now())
        Sender().finish()
        assert bad.cached == set()
    assert not PendingPurge.objects.exists()


def test_a_target_that_hangs_delays_neither_the_worker_nor_others(
    library: Library, settings: Any
) -> None:
    with api("edge") as good, api("fastly") as slow:
        use(settings, slow, good)
        slow.hang.clear()
        good.cached = {"asset-" + "a" * 32}
        request_purge(asset="a" * 32)
        sender = Sender()

        started = time.monotonic()
        assert sender.run()
        assert time.monotonic() - started < 0.5
        while good.cached:
            assert time.monotonic() - started < 5
            time.sleep(0.01)
        assert sender.run(), "the slow one is still on its way"
        slow.hang.set()
        sender.finish()
    assert not PendingPurge.objects.exists()


def test_two_workers_do_not_send_the_same(library: Library, settings: Any) -> None:
    with api("edge") as server:
        use(settings, server)
        server.hang.clear()
        request_purge(everything=True)
        first, second = Sender(), Sender()
        first.run()

        assert second.run() is False
        server.hang.set()
        first.finish()
        assert len(server.requests) == 1


def test_a_claim_of_a_worker_that_died_runs_out(library: Library, settings: Any) -> None:
    with api("edge") as server:
        use(settings, server)
        request_purge(everything=True)
        outbox._claim("edge-0")
        Sender().finish()
        assert server.requests == []

        PendingPurge.objects.update(retry_at=timezone.now() - dt.timedelta(seconds=1))
        Sender().finish()
        assert len(server.requests) == 1


def test_rows_of_removed_targets_and_very_old_ones_go(library: Library, settings: Any) -> None:
    with api("edge") as server:
        use(settings, server)
        PendingPurge.objects.create(target="gone", everything=True)
        request_purge(everything=True)
        old = timezone.now() - outbox.GIVE_UP - dt.timedelta(hours=1)
        PendingPurge.objects.filter(target="edge-0").update(created_at=old)
        server.broken = 503

        Sender().finish()

    assert not PendingPurge.objects.exists()


def test_the_probe_tells_when_the_picture_is_still_shown(
    library: Library, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = {"status": 200}
    asked: list[str] = []

    def ask(method: str, url: str) -> Any:
        asked.append(url)
        return answers["status"], b"", {}

    monkeypatch.setattr(probe, "exchange", ask)
    monkeypatch.setattr(probe, "PATIENCE", 0.1)
    with api("edge") as server:
        use(settings, server, probe=True)
        asset = library.asset()
        PublishVersion(library.version(asset), None).execute()
        reconcile_now()
        Sender().finish()
        assert not PendingPurge.objects.exists()
        assert asked[0].startswith("https://edge.example/")
        assert "/w_64/" in asked[0] and asset.uid.hex in asked[0]

        WithdrawAsset(asset, None, reason="wrong").execute()
        reconcile_now()
        with pytest.raises(PurgeFailed):
            probe.probe(asked[0], "gone", 0)
        PendingPurge.objects.update(probe=asked[0] + " gone")
        monkeypatch.setattr(probe.probe, "__defaults__", (0.1,))
        Sender().finish()
        row = PendingPurge.objects.get()
        assert "still answers 200" in row.last_error

        answers["status"] = 410
        PendingPurge.objects.update(retry_at=None)
        Sender().finish()
        assert not PendingPurge.objects.exists()
        assert len(server.requests) == 3


def test_settings_that_cannot_be_used_do_not_stop_publication(
    library: Library, settings: Any
) -> None:
    settings.IMAGEPIPE = {**settings.IMAGEPIPE, "PURGE_TARGETS": [{"kind": "squid"}]}
    asset = library.asset()
    PublishVersion(library.version(asset), None).execute()

    assert reconcile_now().written == [asset.uid.hex]
    assert library.publication(asset).observed == 1


def test_the_command(library: Library, settings: Any) -> None:
    with api("edge") as server:
        use(settings, server)
        server.cached = {"asset-" + "a" * 32, "collection-3", "collection-4"}
        out, err = io.StringIO(), io.StringIO()
        call_command("imagepipe", "purge", "--asset", "a" * 32, stdout=out)
        call_command("imagepipe", "purge", "--tag", "collection-3", stdout=out)
        assert server.cached == {"collection-4"}
        assert "1 targets told, 0 purges wait" in out.getvalue()
        server.broken = 500
        call_command("imagepipe", "purge", "--all", stdout=out, stderr=err)
        assert "edge-0: http://127.0.0.1" in err.getvalue()
    for wrong in (["--asset", "x"], ["--tag", "a b"], []):
        with pytest.raises(CommandError):
            call_command("imagepipe", "purge", *wrong)


def test_what_waits_is_listed(library: Library, settings: Any) -> None:
    with api("edge") as good, api("cloudflare") as bad:
        use(settings, good, bad)
        bad.broken = 500
        request_purge(asset="a" * 32)
        request_purge(tags=["collection-3"])
        Sender().finish()

        out = io.StringIO()
        call_command("imagepipe", "purge", "--list", stdout=out)

        lines = out.getvalue().splitlines()
        assert lines[0].startswith(f"cloudflare-1: {'a' * 32}, since 20")
        assert "UTC, 1 attempts, next " in lines[0] and "500" in lines[0]
        assert lines[1].startswith("cloudflare-1: collection-3, since ")
        assert lines[2:] == ["2 purges wait"]
        assert len(good.requests) == 1
    assert PendingPurge.objects.count() == 2
