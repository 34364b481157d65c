"""Who waits for a picture, in which order, and who is turned away."""

from __future__ import annotations

import json
import threading
import time

import pytest

from edge.exceptions import Overloaded, TooMany
from edge.gate import Gate


def test_the_crowd_and_the_slots_are_bounded():
    gate = Gate(slots=1, most_waiting=1)

    with gate.crowd(), pytest.raises(Overloaded), gate.crowd():
        pass
    with (
        gate.slot(time.monotonic() + 1),
        pytest.raises(Overloaded),
        gate.slot(time.monotonic() + 0.02),
    ):
        pass
    assert gate.waiting == 0
    with gate.slot(time.monotonic() + 0.1):
        pass


def test_slots_are_given_in_the_order_of_asking():
    gate, order = Gate(slots=1, most_waiting=9), []

    def ask(number: int) -> None:
        with gate.slot(time.monotonic() + 5):
            order.append(number)

    with gate.slot(time.monotonic() + 1):
        threads = [threading.Thread(target=ask, args=(number,)) for number in range(5)]
        for count, thread in enumerate(threads, 1):
            thread.start()
            while len(gate._queue) < count:
                time.sleep(0.001)
    for thread in threads:
        thread.join()

    assert order == list(range(5))


def test_who_cannot_be_served_in_time_hears_it_at_once():
    gate = Gate(slots=1, most_waiting=9)
    with gate.slot(time.monotonic() + 1):
        time.sleep(0.1)  # what a picture usually takes

    with gate.slot(time.monotonic() + 1):
        started = time.monotonic()
        with pytest.raises(Overloaded), gate.slot(started + 0.15):
            pass
        assert time.monotonic() - started < 0.05
        # Time for two pictures is there, but the first does not end.
        with pytest.raises(Overloaded), gate.slot(started + 0.4):
            pass
        assert 0.2 < time.monotonic() - started < 0.35
    with gate.slot(time.monotonic() + 0.01):
        pass  # a free one is given, however little time is left


def test_a_place_that_is_given_at_the_last_moment_is_not_lost():
    gate = Gate(slots=2, most_waiting=99)

    def ask() -> None:
        try:
            with gate.slot(time.monotonic() + 0.002):
                time.sleep(0.001)
        except Overloaded:
            pass

    for _ in range(20):
        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert (gate._free, len(gate._queue)) == (2, 0)


def test_one_visitor_who_fills_the_crowd_is_told_so():
    gate = Gate(slots=1, most_waiting=3)
    with gate.crowd("a"), gate.crowd("a"), gate.crowd("b"):
        with pytest.raises(TooMany), gate.crowd("a"):
            pass
        for visitor in ("b", "c", ""):
            with pytest.raises(Overloaded), gate.crowd(visitor):
                pass
    assert gate.waiting == 0 and not gate._visitors


@pytest.mark.parametrize(
    ("address", "status", "reason"),
    [("10.0.0.1", 429, "too-many-requests"), ("10.0.0.2", 503, "overloaded")],
)
def test_overload_is_429_for_who_causes_it_and_503_for_others(
    delivery, make_edge, master, address, status, reason
):
    url = delivery.url(delivery.publish(delivery.version(master)), "w_64")
    get = make_edge(threads="4", client_header="X-Real-IP")
    gate = get.app.producer._gate
    with gate.crowd("10.0.0.1"), gate.crowd("10.0.0.1"), gate.crowd("10.0.0.1"):
        answer = get(url, x_real_ip=address)

    assert (answer.status, json.loads(answer.body)["reason"]) == (status, reason)
    assert answer.headers["Retry-After"] == "2"
    assert get(url, x_real_ip=address).status == 200
