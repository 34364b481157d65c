from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from imagepipe.grants import (
    InvalidKeyFile,
    create_key_files,
    generate_signing_key,
    key_id_of,
    load_public_keys,
    load_signing_key,
    save_public_keys,
    save_signing_key,
    seal,
    unseal,
)

PAYLOAD = {"kind": "grant"}


def test_created_key_files_fit_each_other(tmp_path: Path) -> None:
    private, public = tmp_path / "keys" / "grant-key.pem", tmp_path / "keys" / "keys.json"
    create_key_files(private, public)
    key, keys = load_signing_key(private), load_public_keys(public)
    assert key_id_of(key, keys) == "g1"
    assert unseal(seal(PAYLOAD, key, "g1"), keys, "grant") == PAYLOAD
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    assert sorted(path.name for path in private.parent.iterdir()) == [private.name, public.name]


def test_existing_keys_are_kept(tmp_path: Path) -> None:
    private, public = tmp_path / "grant-key.pem", tmp_path / "keys.json"
    create_key_files(private, public)
    before = private.read_bytes(), public.read_bytes()
    create_key_files(private, public)
    assert (private.read_bytes(), public.read_bytes()) == before


def test_a_new_key_joins_the_known_public_keys(tmp_path: Path) -> None:
    public = tmp_path / "keys.json"
    create_key_files(tmp_path / "one.pem", public, "g1")
    create_key_files(tmp_path / "two.pem", public, "g2")
    keys = load_public_keys(public)
    assert key_id_of(load_signing_key(tmp_path / "one.pem"), keys) == "g1"
    assert key_id_of(load_signing_key(tmp_path / "two.pem"), keys) == "g2"
    with pytest.raises(InvalidKeyFile, match="choose another id"):
        create_key_files(tmp_path / "three.pem", public, "g2")


def test_public_keys_are_written_as_documented(tmp_path: Path) -> None:
    key = generate_signing_key()
    save_public_keys(tmp_path / "keys.json", {"g1": key.public_key()})
    written = json.loads((tmp_path / "keys.json").read_text())
    assert written == {"keys": {"g1": key.public_key().public_bytes_raw().hex()}}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"keys": []}',
        '{"keys": {"g1": 1}}',
        '{"keys": {"g1": "00"}}',
        '{"keys": {"g1": "zz"}}',
        '{"keys": {"a b": "%s"}}' % ("00" * 32),
        "[" * 100_000,
    ],
)
def test_other_public_key_files_are_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "keys.json"
    path.write_text(text)
    with pytest.raises(InvalidKeyFile):
        load_public_keys(path)


def test_other_private_key_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    with pytest.raises(InvalidKeyFile):
        load_signing_key(path)
    path.write_text("not a key")
    with pytest.raises(InvalidKeyFile):
        load_signing_key(path)
    other = ec.generate_private_key(ec.SECP256R1())
    path.write_bytes(
        other.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    with pytest.raises(InvalidKeyFile, match="does not hold an Ed25519 key"):
        load_signing_key(path)


def test_a_foreign_key_has_no_id(tmp_path: Path) -> None:
    save_signing_key(tmp_path / "key.pem", generate_signing_key())
    with pytest.raises(InvalidKeyFile):
        key_id_of(load_signing_key(tmp_path / "key.pem"), {})
