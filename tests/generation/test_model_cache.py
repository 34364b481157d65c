from __future__ import annotations

import gc
import random
import threading
import weakref
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagepipe.generation import model_cache
from imagepipe.generation.model_cache import ModelCache


class Weights:
    def __init__(self, size: int) -> None:
        self.size = size


def put(cache: ModelCache, key: str, size: int) -> Weights:
    return cache.get(key, size, lambda: Weights(size), lambda weights: weights.size)


def test_a_model_is_loaded_once() -> None:
    cache = ModelCache(100)
    assert put(cache, "a", 40) is put(cache, "a", 40)
    assert cache.held == 40


def test_the_least_recently_used_leave_first() -> None:
    cache = ModelCache(100)
    for key in ("a", "b", "a", "c"):
        put(cache, key, 40)
    assert ("a" in cache, "b" in cache, "c" in cache) == (True, False, True)


def test_a_model_larger_than_the_budget_stands_alone() -> None:
    cache = ModelCache(100)
    put(cache, "a", 40)
    put(cache, "large", 500)
    assert len(cache) == 1
    put(cache, "a", 40)
    assert (len(cache), cache.held) == (1, 40)


def test_room_is_made_before_loading() -> None:
    cache = ModelCache(100)
    first = weakref.ref(put(cache, "a", 60))
    gone_before_loading = []

    def load() -> Weights:
        gc.collect()
        gone_before_loading.append(first() is None)
        return Weights(60)

    cache.get("b", 60, load, lambda weights: weights.size)
    assert gone_before_loading == [True]


def test_what_was_measured_counts_not_what_was_expected() -> None:
    cache = ModelCache(100)
    put(cache, "a", 40)
    cache.get("b", 10, lambda: Weights(80), lambda weights: weights.size)
    assert ("a" in cache, cache.held) == (False, 80)


def test_a_failed_load_leaves_nothing() -> None:
    cache = ModelCache(100)

    def load() -> Weights:
        raise OSError("disk")

    with pytest.raises(OSError, match="disk"):
        cache.get("a", 10, load, lambda weights: weights.size)
    assert len(cache) == 0


@given(
    st.integers(0, 300),
    st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(1, 120)), max_size=40),
)
def test_the_budget_holds(budget: int, uses: list[tuple[str, int]]) -> None:
    cache, sizes = ModelCache(budget), {}
    with patch.object(model_cache.gc, "collect"):  # a heap with torch in it is large
        for key, size in uses:
            sizes.setdefault(key, size)
            assert put(cache, key, sizes[key]).size == sizes[key]
            assert key in cache
            assert cache.held <= max(budget, sizes[key])


def test_many_threads_share_one_load() -> None:
    cache, loads = ModelCache(1000), []

    def work(seed: int) -> None:
        rng = random.Random(seed)
        for _ in range(50):
            key = rng.choice("abc")
            cache.get(key, 10, lambda k=key: loads.append(k) or Weights(10), lambda w: w.size)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(loads) == ["a", "b", "c"]
