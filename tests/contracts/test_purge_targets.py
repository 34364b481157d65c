"""What every purge target has to do, against servers that speak the real APIs."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from imagepipe.checks import check_imagepipe
from imagepipe.delivery.purge import http
from imagepipe.delivery.purge.cloudfront import signed_headers
from imagepipe.delivery.purge.registry import configured, kinds, register
from imagepipe.delivery.purge.target import Options, Purge, PurgeFailed, Target
from tests.delivery.purge_apis import SECRET_KEY, TOKEN, Api, api, options_for

ASSET, OTHER = "a" * 32, "b" * 32


@pytest.fixture(
    params=["edge", "cloudflare", "fastly", "cloudfront", "akamai", "varnish", "ban"]
)
def server(request: Any) -> Iterator[Api]:
    with api("varnish" if request.param == "ban" else request.param) as running:
        running.mode = request.param  # type: ignore[attr-defined]
        running.cached = {f"asset-{ASSET}", f"asset-{OTHER}", "collection-1"}
        yield running


@pytest.fixture
def target(server: Api, settings: Any) -> Target:
    return make(server, settings)


def make(server: Api, settings: Any, **changed: Any) -> Target:
    options = options_for(server) | changed
    if getattr(server, "mode", "") == "ban":
        options["mode"] = "ban"
    settings.IMAGEPIPE = {**settings.IMAGEPIPE, "PURGE_TARGETS": [options]}
    (found,) = configured().values()
    return found.target


def test_every_kind_has_a_server_here() -> None:
    assert {"edge", "cloudflare", "fastly", "cloudfront", "akamai", "varnish"} <= set(kinds())


def test_assets_and_tags_go_and_others_stay(server: Api, target: Target) -> None:
    for _ in range(2):
        target.purge(Purge(assets=(ASSET,), tags=("collection-1",)))

    kept = set() if server.kind == "cloudfront" else {f"asset-{OTHER}"}
    assert server.cached == kept


def test_a_version_goes(server: Api, target: Target) -> None:
    target.purge(Purge(versions=(f"{ASSET}.{'0' * 16}",)))

    assert (f"asset-{ASSET}" in server.cached) == (server.kind == "edge")  # it knows versions


def test_everything_goes(server: Api, target: Target) -> None:
    target.purge(Purge(everything=True))

    assert server.cached == set()


def test_many_names_are_sent_in_calls_that_are_small_enough(
    server: Api, target: Target
) -> None:
    server.cached |= {f"collection-{number}" for number in range(1200)}

    target.purge(Purge(tags=tuple(f"collection-{number}" for number in range(1200))))

    assert not any(tag.startswith("collection") for tag in server.cached)


@pytest.mark.parametrize("status", [401, 429, 500, 302])
def test_a_refusal_is_told_without_the_secret(server: Api, target: Target, status: int) -> None:
    server.broken = status

    with pytest.raises(PurgeFailed) as caught:
        target.purge(Purge(assets=(ASSET,)))

    assert str(status) in str(caught.value)
    assert TOKEN not in str(caught.value) and SECRET_KEY not in str(caught.value)
    assert f"asset-{ASSET}" in server.cached


def test_wrong_secrets_are_noticed(server: Api, settings: Any) -> None:
    name = {"edge": "secret", "cloudfront": "secret_key", "akamai": "client_secret"}
    wrong = make(server, settings, **{name.get(server.kind, "token"): "something else, long"})

    with pytest.raises(PurgeFailed):
        wrong.purge(Purge(assets=(ASSET,)))


def test_a_target_that_hangs_or_is_away_fails_in_time(
    server: Api, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "TIMEOUT", 0.2)
    server.hang.clear()
    started = time.monotonic()
    with pytest.raises(PurgeFailed):
        target.purge(Purge(assets=(ASSET,)))
    assert time.monotonic() - started < 3
    server.hang.set()


def test_nobody_listens(settings: Any) -> None:
    settings.IMAGEPIPE = {
        **settings.IMAGEPIPE,
        "PURGE_TARGETS": [{"kind": "edge", "url": "http://127.0.0.1:9", "secret": "x" * 20}],
    }
    (found,) = configured().values()

    with pytest.raises(PurgeFailed, match="127.0.0.1:9"):
        found.target.purge(Purge(everything=True))


def test_signature_version_4_gives_the_published_example() -> None:
    """From the AWS documentation of Signature Version 4: ListUsers of IAM."""
    now = dt.datetime(2015, 8, 30, 12, 36, 0, tzinfo=dt.UTC)

    headers = signed_headers(
        "GET",
        "https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08",
        b"",
        "AKIDEXAMPLE",
        "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
        now,
        service="iam",
        content_type="application/x-www-form-urlencoded; charset=utf-8",
    )

    assert headers["Authorization"].endswith(
        "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
    )


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"kind": "squid"}, "squid is not one of"),
        ({}, "a target without a kind"),
        ({"kind": "fastly", "token": "x"}, "service is missing"),
        ({"kind": "fastly", "service": "s", "token": "x", "tokken": "y"}, "unknown tokken"),
        ({"kind": "fastly", "service": "s", "token_file": "/nowhere"}, "cannot be read"),
        ({"kind": "varnish", "url": "http://x", "mode": "soft"}, "mode is xkey or ban"),
    ],
)
def test_settings_that_cannot_be_used_are_named(
    settings: Any, values: dict[str, Any], message: str
) -> None:
    settings.IMAGEPIPE = {**settings.IMAGEPIPE, "PURGE_TARGETS": [values]}

    with pytest.raises(ImproperlyConfigured, match=message):
        configured()
    assert [error.id for error in check_imagepipe() if error.id == "imagepipe.E010"]


def test_secrets_come_from_files_and_names_are_unique(settings: Any, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(" abc\n")
    assert Options({"token_file": str(file)}).text("token") == "abc"
    one = {"kind": "varnish", "url": "http://127.0.0.1:1"}
    settings.IMAGEPIPE = {**settings.IMAGEPIPE, "PURGE_TARGETS": [one, one]}
    with pytest.raises(ImproperlyConfigured, match="is taken"):
        configured()


def test_another_kind_can_be_registered(settings: Any) -> None:
    told: list[Purge] = []

    class Memory:
        def purge(self, order: Purge) -> None:
            told.append(order)

    register("memory", lambda options: Memory())
    settings.IMAGEPIPE = {**settings.IMAGEPIPE, "PURGE_TARGETS": [{"kind": "memory"}]}
    configured()["memory"].target.purge(Purge(everything=True))
    assert told == [Purge(everything=True)]
