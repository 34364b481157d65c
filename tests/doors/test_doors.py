"""Whoever asks, whichever way: no pixel of a picture that may not be shown.

Each state meets each door. Pictures are compared as they look. The published picture goes
through the same doors, so that a door that never shows anything is found out.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.cache import cache
from django.db import transaction
from django.test import override_settings

from imagepipe.delivery.expiry import apply_windows
from imagepipe.delivery.placeholder import placeholder
from imagepipe.delivery.reconcile import reconcile_now
from imagepipe.provenance.keys import key_folder
from tests.delivery.library import Library
from tests.doors.exhibits import STATES, Builder, Exhibit
from tests.doors.pixels import ALIKE, difference, secret, shows
from tests.doors.visits import CLOSED_TO_ALL, DOORS, Visitor
from tests.edge.conftest import Server

HIDDEN = [name for name in STATES if name != "live"]
POLL = 1.0


class LongSettings(ExitStack):
    """Like the fixture ``settings``, for longer than one test."""

    def __getattr__(self, name: str) -> Any:
        return getattr(django_settings, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name.startswith("_"):
            super().__setattr__(name, value)
        else:
            self.enter_context(override_settings(**{name: value}))


@pytest.fixture(scope="module")
def house(
    tmp_path_factory: pytest.TempPathFactory, django_db_setup: None, django_db_blocker: Any
) -> Iterator[tuple[Library, Server]]:
    """A library on folders of its own and an edge before it, for all tests of this file."""
    folder = tmp_path_factory.mktemp("doors")
    with django_db_blocker.unblock(), transaction.atomic(), LongSettings() as settings:
        settings.ROOT_URLCONF = "tests.doors.urls"
        settings.IMAGEPIPE = {**settings.IMAGEPIPE, "KEYS": folder / "keys"}
        library = Library.at(folder, settings)
        library.delivery.mkdir()
        server = start_edge(library, folder)
        try:
            settings.IMAGEPIPE = {
                **settings.IMAGEPIPE,
                "EDGE_URL": f"http://127.0.0.1:{server.port}",
            }
            yield library, server
        finally:
            server.stop()
            transaction.set_rollback(True)


def start_edge(library: Library, folder: Path) -> Server:
    keys = key_folder()
    environ = {
        "IMAGEPIPE_EDGE_STORAGE": str(library.delivery),
        "IMAGEPIPE_EDGE_CACHE": str(folder / "edge-cache"),
        "IMAGEPIPE_EDGE_URL_KEYS": str(keys.url_keys),
        "IMAGEPIPE_EDGE_GRANT_KEYS": str(keys.grant_keys),
        "IMAGEPIPE_EDGE_IDENTITY": str(keys.edge_identity),
        "IMAGEPIPE_EDGE_POLL": str(POLL),
    }
    return Server(environ, folder / "edge.log")


@pytest.fixture(scope="module")
def exhibits(house: tuple[Library, Server]) -> dict[str, Exhibit]:
    """Every state; afterwards what workers do every few seconds, once."""
    found = Builder(house[0]).build()
    apply_windows()
    while reconcile_now():
        pass
    cache.clear()
    time.sleep(2 * POLL)
    return found


@pytest.fixture
def visitor(house: tuple[Library, Server], exhibits: dict[str, Exhibit], db: None) -> Visitor:
    library, server = house
    published = [exhibits[name].uid for name in ("live", "replacement_waiting")]
    return Visitor(f"http://127.0.0.1:{server.port}", library.media, published)


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("state", HIDDEN)
def test_no_pixel_appears(
    visitor: Visitor, exhibits: dict[str, Exhibit], state: str, door: str
) -> None:
    exhibit = exhibits[state]
    for answer in DOORS[door](visitor, exhibit):
        assert answer.status < 500, answer.url
        for number, picture in enumerate(exhibit.hidden):
            assert not shows(answer.body, picture), (answer.url, number)
            assert picture not in answer.body, answer.url


@pytest.mark.parametrize("door", sorted(DOORS.keys() - CLOSED_TO_ALL))
@pytest.mark.parametrize("state", ["live", "replacement_waiting", "replaced"])
def test_what_is_published_appears(
    visitor: Visitor, exhibits: dict[str, Exhibit], state: str, door: str
) -> None:
    exhibit = exhibits[state]
    assert exhibit.shown is not None
    seen = [shows(answer.body, exhibit.shown) for answer in DOORS[door](visitor, exhibit)]
    assert any(seen), f"{len(seen)} answers, none with the picture"


@pytest.mark.parametrize("door", sorted(CLOSED_TO_ALL))
def test_without_permission_not_even_a_published_picture_is_shown(
    visitor: Visitor, exhibits: dict[str, Exhibit], door: str
) -> None:
    picture = exhibits["live"].shown
    answers = list(DOORS[door](visitor, exhibits["live"]))
    assert answers
    assert not any(shows(answer.body, picture) for answer in answers)


def test_pictures_of_this_test_are_unlike_one_another(
    exhibits: dict[str, Exhibit], db: None
) -> None:
    pictures = [
        picture
        for exhibit in exhibits.values()
        for picture in (*exhibit.hidden, *filter(None, [exhibit.shown]))
    ]
    others = [*pictures, placeholder(360, 270)]
    for number, picture in enumerate(pictures):
        for other in others[number + 1 :]:
            assert other == picture or difference(other, picture) > 1.2 * ALIKE


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "AVIF"])
def test_the_comparison_sees_through_size_and_format(kind: str) -> None:
    import io

    from PIL import Image

    file = io.BytesIO()
    with Image.open(io.BytesIO(secret(3))) as picture:
        picture.resize((40, 90)).save(file, kind, quality=40)
    assert shows(file.getvalue(), secret(3))
    assert not shows(file.getvalue(), secret(4))
    assert not shows(b"<html>", secret(3))
