from __future__ import annotations

import json

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from imagepipe.urlspec import (
    BadSignature,
    Expired,
    ImagePath,
    InvalidKeyring,
    InvalidPath,
    Keyring,
    Transform,
    UnknownKey,
    UrlspecError,
    build_path,
    parse_path,
    sign_path,
    verify_url,
)

KEYRING = Keyring({"k1": b"\x01" * 32, "k2": b"\x02" * 32}, "k1")
ASSET, VERSION = "0123456789abcdef" * 2, "fedcba9876543210"
PATH = ImagePath(Transform(800), ASSET, VERSION, "harbour", "auto")

paths = st.builds(
    ImagePath,
    st.builds(Transform, st.integers(1, 8192), st.none() | st.integers(1, 8192)),
    st.text("0123456789abcdef", min_size=32, max_size=32),
    st.text("0123456789abcdef", min_size=16, max_size=16),
    st.text("abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1, max_size=80),
    st.sampled_from(["auto", "avif", "webp", "jpg", "png", "gif"]),
    st.none() | st.integers(1, 10**11 - 1),
)


@given(paths)
def test_what_is_built_is_read_back(path: ImagePath) -> None:
    assert parse_path(build_path(path)) == path


@given(paths)
def test_what_is_signed_is_verified(path: ImagePath) -> None:
    assert verify_url(sign_path(path, KEYRING), KEYRING, now=0) == path


@given(paths, st.data())
def test_any_changed_character_is_refused(path: ImagePath, data: st.DataObject) -> None:
    url = sign_path(path, KEYRING)
    position = data.draw(st.integers(0, len(url) - 1))
    letter = data.draw(st.sampled_from("abz019/_-.,xk2A"))
    assume(url[position] != letter)
    changed = url[:position] + letter + url[position + 1 :]

    with pytest.raises(UrlspecError):
        verify_url(changed, KEYRING, now=0)


@given(st.text(max_size=400))
def test_any_text_is_refused_without_surprises(text: str) -> None:
    with pytest.raises(UrlspecError):
        verify_url(text, KEYRING, now=0)


def test_a_signature_is_bound_to_its_key_id() -> None:
    same = Keyring({"k1": b"\x07" * 32, "k2": b"\x07" * 32}, "k1")
    _, kid, signature, rest = sign_path(PATH, same).split("/", 3)

    with pytest.raises(BadSignature):
        verify_url(f"/k2/{signature}/{rest}", same, now=0)


def test_rotation_keeps_old_addresses_until_the_key_goes() -> None:
    old = Keyring.generate("k1")
    both = old.rotated("k2")
    url = sign_path(PATH, old)

    assert both.active == "k2"
    assert verify_url(url, both, now=0) == PATH
    assert sign_path(PATH, both).startswith("/k2/")
    only_new = Keyring({"k2": bytes.fromhex(json.loads(both.to_json())["keys"]["k2"])}, "k2")
    with pytest.raises(UnknownKey):
        verify_url(url, only_new, now=0)


def test_a_preview_ends_at_its_second() -> None:
    url = sign_path(ImagePath(Transform(8), ASSET, VERSION, "a", "jpg", 1000), KEYRING)

    assert verify_url(url, KEYRING, now=999).expires == 1000
    with pytest.raises(Expired):
        verify_url(url, KEYRING, now=1000)


@pytest.mark.parametrize(
    "text",
    [
        f"full,w_800/{ASSET}.{VERSION}/a.jpg",
        f"c_fit,w_800/{ASSET}.{VERSION}/a.jpg",
        f"h_8,w_8/{ASSET}.{VERSION}/a.jpg",
        f"w_800,/{ASSET}.{VERSION}/a.jpg",
        f"w_800/{ASSET.upper()}.{VERSION}/a.jpg",
        f"w_800/{ASSET}.{VERSION}/A.jpg",
        f"w_800/{ASSET}.{VERSION}/a.jpeg",
        f"w_800/{ASSET}.{VERSION}/a.jpg/",
        f"w_800/{ASSET}.{VERSION}/../a.jpg",
        f"w_800/{ASSET}.{VERSION}/a.jpg?x=1",
        f"w_800/{ASSET}.{VERSION}/a.jpg\n",
        f"x01/w_800/{ASSET}.{VERSION}/a.jpg",
        f"/w_800/{ASSET}.{VERSION}/a.jpg",
    ],
)
def test_only_the_canonical_spelling_is_a_path(text: str) -> None:
    with pytest.raises(InvalidPath):
        parse_path(text)


def test_a_keyring_survives_its_document() -> None:
    copy = Keyring.from_json(KEYRING.to_json())

    assert copy.active == "k1"
    assert copy.ids == ("k1", "k2")
    assert sign_path(PATH, copy) == sign_path(PATH, KEYRING)


@pytest.mark.parametrize(
    "document",
    [
        "",
        "[]",
        "{}",
        '{"active": "k1", "keys": {}}',
        '{"active": "k1", "keys": {"k1": "00"}}',
        '{"active": "k1", "keys": {"k1": "not hex"}}',
        '{"active": ["k1"], "keys": {"k1": "' + "00" * 32 + '"}}',
        '{"active": "k2", "keys": {"k1": "' + "00" * 32 + '"}}',
        '{"active": "K/1", "keys": {"K/1": "' + "00" * 32 + '"}}',
        "[" * 100_000,
    ],
)
def test_a_broken_keyring_is_refused(document: str) -> None:
    with pytest.raises(InvalidKeyring):
        Keyring.from_json(document)


def test_keys_are_not_shown() -> None:
    assert repr(KEYRING) == "Keyring(active='k1', ids=['k1', 'k2'])"
