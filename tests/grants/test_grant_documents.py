from __future__ import annotations

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from imagepipe.grants import (
    CREDIT_FIELDS,
    BadSignature,
    DocumentError,
    FeedDocument,
    FeedEntry,
    Grant,
    GrantedVersion,
    InvalidDocument,
    UnknownKey,
    WrongKind,
    canonical_json,
    seal,
    unseal,
)

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = {"g1": KEY.public_key()}

hex32 = st.text("0123456789abcdef", min_size=32, max_size=32)
hex64 = st.text("0123456789abcdef", min_size=64, max_size=64)
moments = st.integers(0, 2**40)
fractions = st.floats(0, 1)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
tags = st.lists(st.from_regex(r"[A-Za-z0-9._:/-]{1,128}", fullmatch=True), max_size=4).map(
    tuple
)
corners = st.integers(0, 9_998)


@st.composite
def boxes(draw: st.DrawFn) -> tuple[int, int, int, int]:
    x, y = draw(corners), draw(corners)
    return x, y, draw(st.integers(1, 10_000 - x)), draw(st.integers(1, 10_000 - y))


@st.composite
def versions(draw: st.DrawFn) -> GrantedVersion:
    start = draw(st.none() | moments)
    end = draw(st.none() | st.integers((start or 0) + 1, 2**41))
    return GrantedVersion(
        sha256=draw(hex64),
        mime=draw(st.sampled_from(["image/png", "image/jpeg", "image/svg+xml"])),
        width=draw(st.integers(1, 50_000)),
        height=draw(st.integers(1, 50_000)),
        bytes=draw(st.integers(1, 2**40)),
        state=draw(st.sampled_from(["published", "superseded", "withdrawn"])),
        valid_from=start,
        valid_until=end,
        markets=draw(st.lists(st.sampled_from(["DE", "AT", "CH"]), max_size=3).map(tuple)),
        channels=draw(st.lists(st.sampled_from(["web", "email"]), max_size=2).map(tuple)),
        focal=draw(st.none() | st.tuples(fractions, fractions)),
        faces=draw(st.lists(st.tuples(*[fractions] * 4), max_size=3).map(tuple)),
        crops=draw(st.dictionaries(st.sampled_from(["16:9", "square"]), boxes())),
        source_type=draw(st.sampled_from(["", "http://cv.iptc.org/x"])),
        credit=draw(st.dictionaries(st.sampled_from(sorted(CREDIT_FIELDS)), texts)),
    )


@st.composite
def grants(draw: st.DrawFn) -> Grant:
    return Grant(
        asset=draw(hex32),
        sequence=draw(moments),
        issued_at=draw(moments),
        valid_until=draw(moments),
        slug=draw(st.from_regex(r"[a-z0-9-]{1,80}", fullmatch=True)),
        versions=tuple(
            draw(st.lists(versions(), max_size=4, unique_by=lambda item: item.sha256))
        ),
        fallback=draw(st.none() | hex32),
        tags=draw(tags),
        disclosure=draw(st.booleans()),
    )


@st.composite
def feeds(draw: st.DrawFn) -> FeedDocument:
    shard = draw(st.integers(0, 15))
    sequences = sorted(draw(st.sets(st.integers(1, 2**40), max_size=6)))
    entries = tuple(
        FeedEntry(n, f"{shard:x}" + draw(hex32)[1:], draw(moments), draw(moments), draw(tags))
        for n in sequences
    )
    sequence = sequences[-1] if sequences else draw(moments)
    return FeedDocument(shard, sequence, draw(moments), entries)


json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda children: (
        st.lists(children, max_size=4) | st.dictionaries(st.text(max_size=8), children)
    ),
    max_leaves=12,
)

VALID = Grant(
    asset="0" * 32,
    sequence=3,
    issued_at=100,
    valid_until=200,
    slug="sunset",
    versions=(GrantedVersion("a" * 64, "image/png", 10, 10, 100, "published"),),
).to_dict()


@given(grants())
def test_a_grant_survives_sealing_and_unsealing(grant: Grant) -> None:
    sealed = seal(grant.to_dict(), KEY, "g1")
    assert Grant.from_dict(unseal(sealed, PUBLIC, "grant")) == grant


@given(feeds())
def test_a_feed_survives_sealing_and_unsealing(feed: FeedDocument) -> None:
    sealed = seal(feed.to_dict(), KEY, "g1")
    assert FeedDocument.from_dict(unseal(sealed, PUBLIC, "feed")) == feed


@given(grants())
def test_equal_grants_seal_to_equal_bytes(grant: Grant) -> None:
    again = Grant.from_dict(json.loads(canonical_json(grant.to_dict())))
    assert seal(again.to_dict(), KEY, "g1") == seal(grant.to_dict(), KEY, "g1")


@given(st.binary(max_size=200))
def test_random_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(DocumentError):
        unseal(data, PUBLIC, "grant")


@given(json_values)
def test_random_json_is_refused(value: Any) -> None:
    with pytest.raises(InvalidDocument):
        unseal(json.dumps(value).encode(), PUBLIC, "grant")
    for read in (Grant.from_dict, GrantedVersion.from_dict, FeedDocument.from_dict):
        with pytest.raises(InvalidDocument):
            read(value)


@given(st.sampled_from(sorted(VALID)), json_values)
def test_one_replaced_field_is_read_as_it_stands_or_refused(name: str, value: Any) -> None:
    try:
        grant = Grant.from_dict({**VALID, name: value})
    except InvalidDocument:
        return
    assert grant.to_dict() == {**VALID, name: value}


@given(st.sampled_from(sorted(VALID["versions"][0])), json_values)
def test_one_replaced_version_field_is_read_as_it_stands_or_refused(
    name: str, value: Any
) -> None:
    changed = {**VALID["versions"][0], name: value}
    try:
        version = GrantedVersion.from_dict(changed)
    except InvalidDocument:
        return
    assert version.to_dict() == changed


@given(st.data())
def test_one_changed_byte_is_refused(data: st.DataObject) -> None:
    sealed = bytearray(seal(VALID, KEY, "g1"))
    place = data.draw(st.integers(0, len(sealed) - 1))
    sealed[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(DocumentError):
        unseal(bytes(sealed), PUBLIC, "grant")


@pytest.mark.parametrize(
    "changes",
    [
        {"sequence": -1},
        {"sequence": True},
        {"sequence": 2**53},
        {"sequence": 1.0},
        {"valid_until": None},
        {"asset": "A" * 32},
        {"asset": "0" * 32 + "\n"},
        {"asset": "../" * 10 + "00"},
        {"slug": "Sunset"},
        {"slug": ""},
        {"fallback": ""},
        {"tags": ["a b"]},
        {"tags": "a"},
        {"disclosure": 1},
        {"kind": "feed"},
        {"format": 2},
        {"versions": [VALID["versions"][0]] * 2},
        {"versions": VALID["versions"] * 201},
        {"extra": 1},
    ],
)
def test_out_of_range_fields_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidDocument):
        Grant.from_dict({**VALID, **changes})


@pytest.mark.parametrize(
    "changes",
    [
        {"width": 0},
        {"state": "draft"},
        {"state": []},
        {"mime": "text/html"},
        {"mime": "image/png\r\nX: y"},
        {"focal": [0.5]},
        {"focal": [0.5, 1.01]},
        {"focal": [0.5, float("nan")]},
        {"focal": [True, 0.5]},
        {"crops": {"wide": [5_000, 0, 5_001, 10]}},
        {"crops": {"wide": [0, 0, 0, 10]}},
        {"credit": {"prompt_text": "x"}},
        {"credit": {"title": "\ud800"}},
        {"credit": {"title": "x" * 10_001}},
        {"markets": ["de"]},
        {"source_type": "javascript:alert(1)"},
        {"valid_from": 10, "valid_until": 10},
    ],
)
def test_out_of_range_version_fields_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidDocument):
        GrantedVersion.from_dict({**VALID["versions"][0], **changes})


def test_refusals_name_the_field() -> None:
    with pytest.raises(InvalidDocument, match="^slug has an unexpected form$"):
        Grant.from_dict({**VALID, "slug": "No"})
    with pytest.raises(InvalidDocument, match="^grant has missing or unexpected fields: odd$"):
        Grant.from_dict({**VALID, "odd": 1})


def test_an_unknown_key_is_refused() -> None:
    with pytest.raises(UnknownKey):
        unseal(seal(VALID, KEY, "g2"), PUBLIC, "grant")


def test_a_key_id_cannot_be_exchanged() -> None:
    sealed = seal(VALID, KEY, "g2").replace(b'"key":"g2"', b'"key":"g1"')
    with pytest.raises(BadSignature):
        unseal(sealed, PUBLIC, "grant")


def test_another_key_under_the_known_id_is_refused() -> None:
    with pytest.raises(BadSignature):
        unseal(seal(VALID, Ed25519PrivateKey.generate(), "g1"), PUBLIC, "grant")


def test_a_feed_does_not_pass_for_a_grant() -> None:
    sealed = seal(FeedDocument(3).to_dict(), KEY, "g1")
    with pytest.raises(WrongKind):
        unseal(sealed, PUBLIC, "grant")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'{"key":"g1","payload":{},"signature":1}',
        b"[" * 100_000,
        b'{"a":' + b"9" * 5_000 + b"}",
        b'{"a":1e999}',
        b'{"a":NaN}',
        b'{"a":1,"a":1}',
        b" " * (1024 * 1024 + 1),
        '{"ä":1}'.encode(),
        b"\xff\xfe",
    ],
)
def test_hostile_bytes_are_invalid_documents(data: bytes) -> None:
    with pytest.raises(InvalidDocument):
        unseal(data, PUBLIC, "grant")


def test_other_spellings_of_a_genuine_document_are_refused() -> None:
    sealed = seal(VALID, KEY, "g1")
    spaced = json.dumps(json.loads(sealed)).encode()
    doubled = sealed.replace(b'"key":"g1"', b'"key":"g1","key":"g1"')
    for data in (spaced, doubled, sealed + b"\n"):
        with pytest.raises(InvalidDocument):
            unseal(data, PUBLIC, "grant")


@pytest.mark.parametrize("signature", ["", "AAAA", "*" * 86, "A" * 85 + "!", "ä"])
def test_odd_signatures_are_bad_signatures(signature: str) -> None:
    body = json.loads(seal(VALID, KEY, "g1")) | {"signature": signature}
    with pytest.raises(BadSignature):
        unseal(canonical_json(body), PUBLIC, "grant")


def test_a_payload_without_a_kind_is_not_sealed() -> None:
    with pytest.raises(InvalidDocument):
        seal({"asset": "0" * 32}, KEY, "g1")
