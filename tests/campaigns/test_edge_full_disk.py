"""A running edge whose disk is full: a real one where mounting is allowed."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator

import pytest

from tests.campaigns.small_disk import SmallDisk, small_disk
from tests.campaigns.test_edge_faults import children_of
from tests.edge.test_edge_sources import until

MB = 1024 * 1024


@pytest.fixture
def disk(tmp_path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path / "disk", 4 * MB) as mounted:
        yield mounted


def files(disk: SmallDisk) -> list[str]:
    """Pictures that lie there, and leftovers of writing."""
    found = [f"{root}/{name}" for root, _, names in os.walk(disk.folder) for name in names]
    return [
        path
        for path in found
        if "/renditions/" in path or "/.new-" in path or path.endswith(".jpg")
    ]


def test_an_edge_lives_on_with_a_full_disk(delivery, master, start_server, disk):
    asset = delivery.publish(delivery.version(master))
    server = start_server(
        workers="2", cache=str(disk.folder / "cache"), placed=str(disk.folder / "placed")
    )
    workers = children_of(server.process.pid)
    widths = itertools.count(60)
    assert server.get(delivery.url(asset, f"w_{next(widths)}")).status == 200
    disk.fill(workers)
    before = set(files(disk))

    for extension in ("jpg", "webp", "avif", "png", "auto") * 4:
        url = delivery.url(asset, f"w_{next(widths)}", extension)
        first = server.get(url)
        assert first.status == 200, first.body
        first.image.load()
        assert server.get(url, If_None_Match=first.headers["ETag"]).status in (200, 304)
        assert server.get(url, Range="bytes=0-9").status == 206
    for path in ("/k1/x/y", f"{url}?a=1", url.replace("w_", "h_")):
        assert server.get(path).status in (400, 403, 404)
    assert server.get("/metrics").status == 200
    assert server.get("/healthz").status == 200

    if disk.is_real:
        assert set(files(disk)) <= before
    assert children_of(server.process.pid) == workers, "a worker died"
    delivery.change(asset, state="withdrawn")
    until(lambda: server.get(url).status == 410)
    delivery.change(asset, state="published")
    disk.free(workers)
    url = delivery.url(asset, f"w_{next(widths)}")
    until(lambda: server.get(url).status == 200)
    assert set(files(disk)) - before


def test_an_edge_starts_with_a_full_disk(delivery, master, start_server, disk):
    """As after a restart: it serves, and a disk with room is used again."""
    asset = delivery.publish(delivery.version(master))
    (disk.folder / "cache").mkdir()
    disk.fill([0])
    server = start_server(workers="2", cache=str(disk.folder / "cache"))
    workers = children_of(server.process.pid)
    for width in range(60, 70):
        answer = server.get(delivery.url(asset, f"w_{width}"))
        assert answer.status == 200
        answer.image.load()
    assert children_of(server.process.pid) == workers, "a worker died"
