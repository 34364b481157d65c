"""Formats, hints and saving of data, through the WSGI callable."""

from __future__ import annotations

import io

import pytest
from PIL import Image

ALL_HINTS = "Sec-CH-Width, Width, Sec-CH-DPR, DPR, Sec-CH-Viewport-Width, Viewport-Width"


@pytest.fixture
def asset(delivery, master) -> str:
    return delivery.publish(delivery.version(master))


def test_the_width_follows_the_hints_within_the_ladder(delivery, get, asset):
    url = delivery.url(asset, "w_auto.400", "jpg")

    assert get(url).image.width == 400
    assert get(url, sec_ch_width="470").image.width == 480
    assert get(url, viewport_width="160", dpr="2").image.width == 320
    assert get(url, sec_ch_width="320", width="9000").image.width == 320
    assert get(url, width="9000").image.width == 640  # the master's own width
    assert get(url, width="10; drop", dpr="-3").image.width == 400


def test_a_hinted_answer_varies_and_is_the_same_picture_as_the_plain_one(delivery, get, asset):
    hinted = get(delivery.url(asset, "w_auto.400", "jpg"), width="300")
    plain = get(delivery.url(asset, "w_320", "jpg"), width="999", save_data="on")

    assert hinted.headers["Vary"] == f"Save-Data, {ALL_HINTS}"
    assert "Vary" not in plain.headers
    assert hinted.body == plain.body
    assert plain.headers["Server-Timing"].startswith("cache;desc=memory")
    both = get(delivery.url(asset, "w_auto.400", "auto"))
    assert both.headers["Vary"] == f"Accept, Save-Data, {ALL_HINTS}"


def test_hints_make_few_pictures(delivery, make_edge, asset):
    get = make_edge()
    url = delivery.url(asset, "w_auto.400", "jpg")

    tags = {get(url, width=str(width)).headers["ETag"] for width in range(40, 700, 13)}

    assert len(tags) == 3  # 320, 480, 640; for 800 the master is too small: the same bytes


def test_saving_data_costs_quality_only_where_the_address_leaves_it_open(delivery, get, asset):
    auto = delivery.url(asset, "w_320", "auto")
    set_by_the_page = delivery.url(asset, "w_320,q_90", "auto")

    assert len(get(auto, save_data="on").body) < 0.9 * len(get(auto, save_data="off").body)
    assert get(set_by_the_page, save_data="on").body == get(set_by_the_page).body
    named = delivery.url(asset, "w_320", "jpg")
    assert get(named, save_data="on").body == get(named).body


def test_each_kind_of_visitor_gets_its_own_kept_answer(delivery, get, asset):
    url = delivery.url(asset, "w_320", "auto")
    kinds = [{"accept": "image/avif"}, {"accept": "image/webp"}, {}, {"save_data": "on"}]

    first = [get(url, **headers).body for headers in kinds]
    again = [get(url, **headers).body for headers in kinds]

    assert first == again
    assert len(set(first)) == 4


def test_png_is_sent_only_where_something_shows_through(delivery, get):
    buffer = io.BytesIO()
    Image.new("RGBA", (60, 40), (255, 0, 0, 90)).save(buffer, "PNG")
    asset = delivery.publish(delivery.version(buffer.getvalue(), "image/png"))

    def kind(transform: str) -> str:
        return get(delivery.url(asset, transform, "auto")).headers["Content-Type"]

    assert kind("w_30") == "image/png"
    assert kind("w_30,b_ffffff") == "image/jpeg"
    assert kind("w_30,h_30,c_pad,b_none") == "image/png"


def test_transparent_padding_of_an_opaque_master(delivery, get, asset):
    answer = get(delivery.url(asset, "w_64,h_64,c_pad,b_none", "auto"))

    assert answer.headers["Content-Type"] == "image/png"
    assert answer.image.getpixel((1, 1))[3] == 0
