"""Hostile requests and damaged pictures, drawn from a seed."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from imagepipe.urlspec import Keyring

_TOKENS = (
    "w_1|w_320|h_9999999|c_fill|q_0|q_80|full|g_face|,|/|//|..|%2e|\0|\x7f|é|x1/|x99999999999/|"
    ".jpg|.auto|.svg|aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa|k1|_|-|{|r_1.2.3.4|bg_zzzzzz|?|#|\r\n|"
    ".c2pa/|.c2pa/40000000-1|/_purge|/_explain/|/metrics|w_auto.|w_auto.300"
).split("|")

#: Pieces of no grammar at all.
_noise = st.lists(
    st.one_of(
        st.sampled_from(_TOKENS),
        st.text(st.characters(codec="latin-1"), max_size=12),
        st.integers(0, 10**6).map(str),
    ),
    min_size=1,
    max_size=10,
).map("".join)

_edge = st.sampled_from(("0", "00", "-1", "8193", "99999", "100000", "1e3", "٣", "", "1.", "."))
_size = st.one_of(st.integers(1, 40).map(str), st.sampled_from(("64", "160", "161")), _edge)
_share = st.one_of(st.integers(1, 100).map(str), _edge)
_part = st.integers(0, 10_001).map(str)
_gravity = st.lists(
    st.sampled_from(("center", "north", "southwest", "faces", "subject", "focal", "attention")),
    min_size=1,
    max_size=4,
).map("-".join)
#: Options of the grammar with values at and past its borders.
_option = st.one_of(
    st.tuples(st.sampled_from(("w", "h")), _size),
    st.tuples(st.just("w"), _size.map("auto.{}".format)),
    st.tuples(st.just("c"), st.sampled_from(("fit", "fill", "pad", "crop", "none"))),
    st.tuples(st.just("g"), _gravity),
    st.tuples(st.just("r"), st.lists(_part, min_size=1, max_size=5).map(".".join)),
    st.tuples(st.just("r"), st.sampled_from(("hero", "1", "a-", "x" * 41))),
    st.tuples(st.sampled_from(("q", "sharp", "blur")), _share),
    st.tuples(st.just("b"), st.sampled_from(("none", "ffffff", "fffffff", "FFFFFF"))),
    st.tuples(st.just("u"), st.sampled_from(("1", "0", "1"))),
    st.tuples(st.just("p"), st.sampled_from(("srgb", "p3", "adobe"))),
    st.tuples(st.just("d"), st.sampled_from(("2", "1.5", "4", "4.1", "0"))),
).map("_".join)
_transform = st.lists(_option, min_size=1, max_size=5).map(",".join)
_right_size = st.integers(1, 200).map(str)
_region = st.tuples(st.integers(0, 5000), st.integers(0, 5000), st.integers(100, 5000)).map(
    lambda box: f"{box[0]}.{box[1]}.{box[2]}.{box[2]}"
)
#: Options that should all be right together.
_right = st.fixed_dictionaries(
    {"w": _right_size, "h": _right_size, "c": st.sampled_from(("fill", "fit", "pad", "crop"))},
    optional={
        "g": st.sampled_from(("north", "southwest", "center")),
        "r": _region,
        "q": st.integers(1, 100).map(str),
        "b": st.sampled_from(("none", "00ff00")),
        "u": st.just("1"),
        "blur": st.integers(1, 100).map(str),
        "sharp": st.integers(1, 100).map(str),
        "p": st.just("p3"),
        "d": st.sampled_from(("2", "1.5")),
    },
).map(lambda options: ",".join(f"{key}_{value}" for key, value in options.items()))
_extension = st.sampled_from(("jpg", "webp", "avif", "png", "auto", "svg", "gif"))

_value = st.one_of(st.just(""), st.text(st.characters(codec="latin-1"), max_size=40))
_headers = st.fixed_dictionaries(
    {},
    optional={
        "accept": st.one_of(
            _value,
            st.lists(
                st.sampled_from(("image/avif", "image/webp;q=0", "image/*;q=", "*/*;q=9", ",")),
                max_size=6,
            ).map(",".join),
        ),
        "range": st.one_of(
            _value, st.tuples(_part, _part).map(lambda ends: f"bytes={ends[0]}-{ends[1]}")
        ),
        "if_none_match": st.one_of(_value, st.sampled_from(("*", 'W/"', '"' * 99))),
        "if_range": _value,
        "sec_ch_width": st.one_of(_value, _part),
        "sec_ch_dpr": st.one_of(_value, st.sampled_from(("1e9", "nan", "-1", "2"))),
        "save_data": _value,
        "traceparent": _value,
        "authorization": _value,
    },
)


#: Requests made of what is drawn at once: drawing is a hundred times dearer than asking.
SHOTS = 50


@dataclass(frozen=True)
class Attack:
    """One request."""

    method: str
    url: str
    headers: dict[str, str]


@st.composite
def volleys(draw: Any, good: str, keyring: Keyring) -> list[Attack]:
    """Requests near a good address: noise, spoilt, and what a leaked key could ask for."""
    texts, headers = draw(st.lists(_noise, min_size=3, max_size=3)), [draw(_headers), {}]
    rng = random.Random(draw(st.integers(0, 2**64)))
    name = good.split("/", 4)[4].rpartition(".")[0]
    signed = [f"{draw(_right)}/{name}.", f"{draw(_transform)}/{name}."]
    signed = [start + draw(_extension) for start in signed]
    return [_shot(rng, good, keyring, texts, signed, headers) for _ in range(SHOTS)]


def _shot(
    rng: random.Random,
    good: str,
    keyring: Keyring,
    texts: list[str],
    signed: list[str],
    headers: list[dict[str, str]],
) -> Attack:
    kind, text = rng.randrange(10), rng.choice(texts)
    if kind == 0:
        url = text if text.startswith("/") else f"/{text}"
    elif kind <= 5:
        place = rng.randrange(len(good) + 1)
        url = good[:place] + text + good[place + rng.choice((0, 0, len(text))) :]
    else:
        inner = rng.choice(signed)
        if kind <= 8:
            place = rng.randrange(len(inner) + 1)
            inner = inner[:place] + text + inner[place + rng.choice((0, len(text))) :]
        url = f"/k1/{keyring.signature('k1', inner)}/{inner}"
    method = rng.choice(("GET",) * 8 + ("HEAD", "POST"))
    return Attack(method, url, rng.choice(headers))


def mutated(data: bytes, rng: random.Random) -> bytes:
    """The same picture with a few bytes changed, moved, doubled or lost, but never all."""
    body = bytearray(data)
    # Half of the changes hit the first bytes, where sizes and tables are.
    reach = len(body) if rng.random() < 0.5 else min(len(body), 700)
    for _ in range(rng.choice((1, 2, 5, 30))):
        place = rng.randrange(min(reach, len(body)))
        kind = rng.randrange(5)
        if kind == 0:
            body[place] ^= 1 << rng.randrange(8)
        elif kind == 1:
            body[place : place + rng.randrange(1, 64)] = b""
        elif kind == 2:
            body[place:place] = rng.randbytes(rng.randrange(1, 64))
        elif kind == 3:
            body[place : place + rng.choice((1, 2, 4))] = b"\xff\xff\xff\xff"
        elif len(body) > 200:
            del body[max(100, place) :]
        if len(body) < 50:
            break
    return bytes(body) or data[:1]
