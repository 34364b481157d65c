"""A thousand visitors ask for the same picture that nobody has made yet, over real sockets.

A sample in the suite; ``IMAGEPIPE_CAMPAIGN_CROWD=1000 IMAGEPIPE_CAMPAIGN_ROUNDS=10`` is the
whole campaign.
"""

from __future__ import annotations

import os
import re
import socket
import sys
import threading
import time
from collections import Counter

import pytest

CROWD = int(os.environ.get("IMAGEPIPE_CAMPAIGN_CROWD", "200"))
ROUNDS = int(os.environ.get("IMAGEPIPE_CAMPAIGN_ROUNDS", "2"))
SENDERS = 8


def ask_at_once(port: int, path: str) -> list[bytes]:
    """Whole answers; every connection is open before the first request is sent."""
    lines = [socket.create_connection(("127.0.0.1", port), timeout=60) for _ in range(CROWD)]
    request = f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode()
    answers: list[bytes] = []
    start = threading.Barrier(SENDERS)

    def send(own: list[socket.socket]) -> None:
        start.wait()
        for line in own:
            line.sendall(request)
        for line in own:
            answer = b""
            while chunk := line.recv(65536):
                answer += chunk
            line.close()
            answers.append(answer)

    senders = [
        threading.Thread(target=send, args=(lines[number::SENDERS],))
        for number in range(SENDERS)
    ]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    return answers


def renders(text: str) -> int:
    found = re.findall(r"^imagepipe_edge_renders_total\{.*\} ([0-9.]+)$", text, re.MULTILINE)
    return round(sum(map(float, found)))


@pytest.mark.parametrize("workers", [1, 4])
def test_identical_cold_requests_make_one_picture(
    delivery, master, start_server, workers, capsys
):
    asset = delivery.publish(delivery.version(master))
    server = start_server(workers=str(workers), renderers="2")
    seen: Counter[int] = Counter()
    slowest = 0.0

    for number in range(ROUNDS):
        path = delivery.url(asset, f"w_{300 + number}", "webp")
        started = time.perf_counter()
        answers = ask_at_once(server.port, path)
        slowest = max(slowest, time.perf_counter() - started)
        seen.update(int(answer[9:12]) for answer in answers)
        bodies = {a.partition(b"\r\n\r\n")[2] for a in answers if a[9:12] == b"200"}
        assert len(bodies) == 1
        assert set(seen) <= {200, 503}
        refused = [a for a in answers if a[9:12] == b"503"]
        assert all(b"overloaded" in a and b"retry-after" in a.lower() for a in refused)

    made = renders(server.get("/metrics").body.decode())
    with capsys.disabled():
        sys.stdout.write(
            f"\n{ROUNDS} x {CROWD} identical cold requests, {workers} workers: {made} renders, "
            f"{dict(seen)}, slowest round {slowest:.2f} s\n"
        )
    assert ROUNDS <= made <= 1.1 * ROUNDS
    assert sum(seen.values()) == ROUNDS * CROWD
    assert seen[200] > 0
