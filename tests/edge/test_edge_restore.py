"""After a backup was restored on purpose, an edge forgets what it has seen."""

from __future__ import annotations

import dataclasses

import pytest

from edge.app import EdgeApp
from edge.config import EdgeConfig


@pytest.mark.parametrize("forget", [False, True])
def test_older_grants_are_accepted_only_without_the_memory(
    delivery, master, make_edge, forget: bool
) -> None:
    asset = delivery.publish(delivery.version(master))
    restored = delivery.grants[asset]
    delivery.publish(*restored.versions, asset=asset)
    first = EdgeApp(EdgeConfig.from_environ(delivery.environ))
    assert first.book.get(asset).sequence == 2
    first.close()

    delivery.write_grant(dataclasses.replace(restored, sequence=1))
    if forget:
        (delivery.cache / "sequences.json").unlink()
        for feed in (delivery.storage / "feed").iterdir():
            feed.unlink()
    answer = make_edge()(delivery.url(asset))
    assert answer.status == (200 if forget else 503)
