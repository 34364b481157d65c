from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest
from django.core.cache import cache

from imagepipe.delivery.actions import PublishVersion
from imagepipe.delivery.models import StoredRendition
from imagepipe.delivery.reconcile import reconcile_now
from imagepipe.delivery.renditions import TRIES, Unsettled, prewarm, prewarm_due
from imagepipe.provenance.keys import load_keyring
from imagepipe.urlspec import MIME_TYPES, verify_url
from tests.delivery.library import Library, png


class Edge(BaseHTTPRequestHandler):
    """Answers signed addresses with bytes that tell the address."""

    status = 200
    quick = 0
    """So many answers are quick ones, to be replaced."""
    asked: ClassVar[set[str]] = set()

    def do_GET(self) -> None:
        path = verify_url(self.path, load_keyring(), 0)
        body = self.path.encode()
        self.asked.add(self.path)
        self.send_response(self.status)
        self.send_header("Content-Type", MIME_TYPES[path.extension])
        if type(self).quick > 0:
            type(self).quick -= 1
            body = b"quick " + body
            self.send_header("Server-Timing", "cache;desc=provisional, total;dur=3.1")
        else:
            self.send_header("Server-Timing", "cache;desc=memory")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def edge(settings: Any, library: Library) -> Iterator[type[Edge]]:
    handler = type("ThisEdge", (Edge,), {"asked": set()})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings.IMAGEPIPE = {
        **settings.IMAGEPIPE,
        "EDGE_URL": f"http://127.0.0.1:{server.server_port}",
        "PRESETS": {"card": {"widths": [40, 80], "ratio": [2, 1]}},
    }
    cache.clear()
    yield handler
    server.shutdown()


def test_what_the_edge_answers_is_recorded(library: Library, edge: type[Edge]) -> None:
    asset = library.asset()
    version = library.version(asset, png(200, 100))
    library.do(PublishVersion(version, None))
    reconcile_now()
    assert prewarm_due() == 1
    found = StoredRendition.objects.filter(version=version)
    assert {(item.width, item.height, item.format) for item in found} == {
        (width, width // 2, extension)
        for width in (40, 80)
        for extension in ("avif", "webp", "jpg")
    }
    one = found.get(width=40, format="webp")
    asset.refresh_from_db()
    assert one.transform == "w_40,h_20,c_fill,g_focal-faces-subject"
    assert one.rights["licence"] == "CC BY 4.0"
    assert one.byte_count > 0
    assert len(one.sha256) == len(hashlib.sha256().hexdigest())
    assert prewarm_due() == 0
    prewarm(asset)
    assert found.count() == 6


def test_an_edge_that_refuses_is_left_alone_for_a_while(
    library: Library, edge: type[Edge]
) -> None:
    asset = library.asset()
    library.do(PublishVersion(library.version(asset), None))
    reconcile_now()
    edge.status = 503
    assert prewarm_due() == 1
    assert prewarm_due() == 0
    assert not StoredRendition.objects.exists()


def test_an_edge_that_is_not_there(library: Library, settings: Any) -> None:
    settings.IMAGEPIPE = {**settings.IMAGEPIPE, "EDGE_URL": "http://127.0.0.1:9"}
    asset = library.asset()
    library.do(PublishVersion(library.version(asset), None))
    asset.refresh_from_db()
    assert prewarm(asset) == []


def test_only_settled_pictures_are_recorded(
    library: Library, edge: type[Edge], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("imagepipe.delivery.renditions.SETTLING", 0)
    asset = library.asset()
    library.do(PublishVersion(library.version(asset, png(200, 100)), None))
    reconcile_now()
    edge.quick = 8

    for _ in range(2):
        assert prewarm_due() == 1
        assert not StoredRendition.objects.exists()
    assert prewarm_due() == 1

    expected = {hashlib.sha256(path.encode()).hexdigest() for path in edge.asked}
    assert set(StoredRendition.objects.values_list("sha256", flat=True)) == expected
    assert len(expected) == 6
    assert prewarm_due() == 0


def test_an_edge_that_never_settles_is_not_asked_for_ever(
    library: Library, edge: type[Edge], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("imagepipe.delivery.renditions.SETTLING", 0)
    asset = library.asset()
    library.do(PublishVersion(library.version(asset, png(200, 100)), None))
    reconcile_now()
    edge.quick = 10_000

    rounds = [prewarm_due() for _ in range(TRIES + 2)]

    assert rounds == [1] * TRIES + [0, 0]
    assert not StoredRendition.objects.exists()


def test_whoever_asks_is_told_that_it_is_not_settled(
    library: Library, edge: type[Edge]
) -> None:
    asset = library.asset()
    library.do(PublishVersion(library.version(asset, png(200, 100)), None))
    reconcile_now()
    asset.refresh_from_db()
    edge.quick = 1

    with pytest.raises(Unsettled):
        prewarm(asset)
    assert len(prewarm(asset)) == 6
