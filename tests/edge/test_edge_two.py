"""Two edges of one delivery storage that they read over the network, told by the publisher."""

from __future__ import annotations

import time

from imagepipe.delivery.purge.edge import EdgeTarget
from imagepipe.delivery.purge.target import Options, Purge
from tests.edge.storage_servers import serve


def test_both_hear_of_a_withdrawal_within_a_second(delivery, master, start_server):
    secret = "a shared secret of 32 characters"
    key = delivery.keys / "purge-key"
    key.write_text(secret)
    asset = delivery.publish(delivery.version(master))
    url = delivery.url(asset)
    with serve(delivery.storage, "delivery") as storage:
        edges = [
            start_server(
                storage=f"{storage.url}/delivery",
                origin_private="yes",
                purge_key=str(key),
                cache=str(delivery.root / f"cache-{name}"),
                workers="2",
                poll="5",
            )
            for name in "ab"
        ]
        for edge in edges:
            for _ in range(10):
                assert edge.get(url).status == 200

        delivery.change(asset, state="withdrawn")
        told = time.monotonic()
        for edge in edges:
            options = Options({"url": f"http://127.0.0.1:{edge.port}", "secret_file": key})
            EdgeTarget(options).purge(Purge(assets=(asset,)))
        time.sleep(max(0.0, told + 1 - time.monotonic()))

        for edge in edges:
            assert {edge.get(url).status for _ in range(10)} == {410}
