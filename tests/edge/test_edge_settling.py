"""First answers and what replaces them, through the WSGI callable."""

from __future__ import annotations

import io
import time

import numpy as np
import pytest
from PIL import Image

from edge.autoquality import TOLERANCE, Found, best_of, next_quality, search
from edge.encode import Effort, encode
from edge.features import tiles
from edge.making import Maker
from edge.similarity import Reference
from edge.vips import pyvips


def settled(get, url: str, **headers: str):
    """The answer once it is settled."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        answer = get(url, **headers)
        if "max-age=60," not in answer.headers["Cache-Control"]:
            return answer
        time.sleep(0.05)
    raise AssertionError("never settled")


@pytest.fixture
def asset(delivery, master) -> str:
    return delivery.publish(delivery.version(master))


@pytest.mark.parametrize("extension", ["jpg", "webp", "avif"])
def test_the_first_answer_is_quick_and_short_lived_and_a_better_one_follows(
    delivery, make_edge, asset, extension
):
    get = make_edge(settle="yes")
    url = delivery.url(asset, "w_320", extension)

    first = get(url)
    last = settled(get, url)

    assert first.headers["Server-Timing"].startswith("cache;desc=provisional")
    assert first.headers["Cache-Control"] == "public, max-age=60, s-maxage=60"
    assert last.headers["Cache-Control"] == "public, max-age=3600, s-maxage=3600"
    assert first.headers["ETag"] != last.headers["ETag"]
    assert first.image.size == last.image.size == (320, 214)
    assert get(url).body == last.body


def test_a_range_of_the_first_bytes_is_never_continued_with_the_settled_ones(
    delivery, make_edge, asset
):
    get = make_edge(settle="yes")
    url = delivery.url(asset, "w_320", "avif")
    first = get(url)
    last = settled(get, url)

    rest = get(url, range="bytes=100-", if_range=first.headers["ETag"])

    assert (rest.status, rest.body) == (200, last.body)
    assert get(url, range="bytes=100-", if_range=last.headers["ETag"]).status == 206
    assert get(url, if_none_match=first.headers["ETag"]).status == 200


def test_another_process_finds_the_settled_bytes_and_only_sidecars_are_left_of_the_first(
    delivery, make_edge, asset
):
    url = delivery.url(asset, "w_320", "avif")
    last = settled(make_edge(settle="yes"), url)

    answer = make_edge(settle="yes")(url)

    assert answer.body == last.body
    assert answer.headers["Server-Timing"].startswith("cache;desc=disk")
    end = time.monotonic() + 20
    files: list = []
    while time.monotonic() < end:
        files = [path for path in delivery.cache.rglob("*-*") if path.parent.name == asset]
        files = [path for path in files if "-c2pa-" not in path.name]
        if len(files) == 1:
            break
        time.sleep(0.05)
    assert len(files) == 1


def test_png_needs_no_settling(delivery, make_edge, asset):
    answer = make_edge(settle="yes")(delivery.url(asset, "w_100", "png"))

    assert answer.headers["Cache-Control"] == "public, max-age=3600, s-maxage=3600"


def test_the_quality_of_the_address_is_kept(delivery, make_edge, asset):
    get = make_edge(settle="yes", settled_webp_effort="2")
    url = delivery.url(asset, "w_200,q_30", "webp")

    first = get(url)
    last = settled(get, url)

    assert abs(len(first.body) - len(last.body)) < 200  # the signatures differ


def test_settled_pictures_reach_the_target(delivery, make_edge, asset, master):
    get = make_edge(settle="yes", quality_target="70", identity="")
    exact = get(delivery.url(asset, "w_400", "png")).body
    reference = Reference(pyvips.Image.new_from_buffer(exact, ""))

    for extension in ("jpg", "webp", "avif"):
        body = settled(get, delivery.url(asset, "w_400", extension)).body
        score = reference.score(pyvips.Image.new_from_buffer(body, ""))
        assert abs(score - 70) <= TOLERANCE + 3


def test_renditions_of_one_master_share_a_decode(delivery, make_edge, asset, monkeypatch):
    from edge import making

    made = []
    base = making.Base
    monkeypatch.setattr(making, "Base", lambda *args: made.append(1) or base(*args))
    get = make_edge(settle="yes")
    urls = [delivery.url(asset, f"w_{width}", "webp") for width in (100, 200, 320, 480)]
    for url in urls:
        get(url)
    for url in urls:
        settled(get, url)

    assert len(made) == 1


def test_a_failed_settling_leaves_the_first_answer(delivery, make_edge, asset, monkeypatch):
    monkeypatch.setattr(Maker, "settled", lambda self, job, watch: 1 / 0)
    get = make_edge(settle="yes")
    url = delivery.url(asset, "w_320", "webp")

    answers = [get(url) for _ in range(5)]

    assert {answer.status for answer in answers} == {200}
    assert len({answer.body for answer in answers}) == 1


def picture(photo, width: int) -> pyvips.Image:
    image = pyvips.Image.new_from_array(np.asarray(photo)).copy(interpretation="srgb")
    return image.thumbnail_image(width).copy_memory()


@pytest.mark.parametrize("extension", ["jpg", "webp", "avif"])
@pytest.mark.parametrize("target", [60, 80])
def test_the_search_meets_its_target(photo, extension, target):
    image = picture(photo, 300)

    found = search(image, extension, target, Effort.fast())

    again = Reference(image).score(pyvips.Image.new_from_buffer(found.body, ""))
    assert abs(found.score - target) <= TOLERANCE + 2
    assert again == pytest.approx(found.score)
    assert 1 <= found.probes <= 3


def test_of_those_that_score_enough_the_lightest_is_taken():
    poor, enough, much = (
        Found(b"x" * size, size, score, 0)
        for size, score in ((10, 66.9), (20, 67.0), (40, 82.0))
    )

    assert best_of([much, enough, poor], 70) == enough
    assert best_of([much, poor], 70) == much
    assert best_of([poor], 70) == poor


@pytest.mark.parametrize("extension", ["jpg", "webp", "avif"])
def test_settled_bytes_are_heavier_than_the_first_only_for_qualitys_sake(photo, extension):
    image = picture(photo, 300)
    first = encode(image, extension, packet=b"")
    score = Reference(image).score(pyvips.Image.new_from_buffer(first, ""))

    for target in (round(score) + 1, round(score) - 2):
        found = search(image, extension, target, Effort.settled())

        assert len(found.body) <= len(first) or found.score > score


def test_a_spent_budget_ends_the_search_with_the_first_try(photo):
    found = search(picture(photo, 200), "jpg", 75, Effort.fast(), seconds=0)

    assert found.probes == 1
    assert Image.open(io.BytesIO(found.body)).size[0] == 200


def test_the_next_quality_goes_the_right_way_and_stays_in_bounds():
    assert next_quality({60: 70.0}, 76, 0.6, (40, 94)) == 70
    assert next_quality({60: 80.0}, 76, 0.6, (40, 94)) == 53
    assert next_quality({92: 60.0}, 90, 0.6, (40, 94)) == 94
    assert next_quality({60: 70.0, 70: 74.0}, 76, 0.6, (40, 94)) == 75


def test_the_metric_orders_qualities_and_knows_the_same(photo):
    image = picture(photo, 320)
    reference = Reference(image)

    scores = [
        reference.score(pyvips.Image.new_from_buffer(image.jpegsave_buffer(Q=q), ""))
        for q in (10, 30, 60, 90)
    ]

    assert scores == sorted(scores)
    assert scores[0] < 35
    assert scores[-1] > 80
    assert reference.score(image) == pytest.approx(100, abs=0.1)
    with pytest.raises(ValueError, match="size"):
        reference.score(image.crop(0, 0, 100, 100))


@pytest.mark.parametrize("size", [(1, 1), (7, 300), (191, 2000), (2000, 300), (900, 900)])
def test_tiles_are_small_and_of_the_picture(size):
    image = pyvips.Image.black(*size, bands=3).copy(interpretation="srgb")

    sample = tiles(image)

    assert sample.width * sample.height <= max(6 * 192 * 192, 191 * 2000)
    assert Reference(sample).score(sample) == pytest.approx(100, abs=0.1)
