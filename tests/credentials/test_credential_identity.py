from __future__ import annotations

import datetime as dt
import stat
from pathlib import Path

import pytest

from imagepipe.credentials import (
    InvalidIdentity,
    SigningIdentity,
    certificates,
    create_development_identities,
)


def contents(folder: Path) -> dict[str, bytes]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_creation_is_idempotent_and_keys_are_private(tmp_path: Path) -> None:
    create_development_identities(tmp_path)
    before = contents(tmp_path)
    create_development_identities(tmp_path)
    assert contents(tmp_path) == before
    assert set(before) == {
        ".lock",
        "root.pem",
        "root-key.pem",
        "cms/chain.pem",
        "cms/key.pem",
        "edge/chain.pem",
        "edge/key.pem",
    }
    for name in ("root-key.pem", "cms/key.pem", "edge/key.pem"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600


def test_a_missing_leaf_is_made_again_under_the_same_root(tmp_path: Path) -> None:
    create_development_identities(tmp_path)
    before = contents(tmp_path)
    (tmp_path / "edge" / "key.pem").unlink()
    create_development_identities(tmp_path)
    after = contents(tmp_path)
    assert after["root.pem"] == before["root.pem"]
    assert after["cms/key.pem"] == before["cms/key.pem"]
    assert after["edge/key.pem"] != before["edge/key.pem"]
    SigningIdentity.load(tmp_path / "edge")


def test_a_leaf_is_renewed_before_it_expires(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(certificates, "LEAF_DAYS", certificates.RENEWAL_DAYS - 1)
    create_development_identities(tmp_path)
    monkeypatch.undo()
    create_development_identities(tmp_path)
    leaf = SigningIdentity.load(tmp_path / "cms").certificates[0]
    assert leaf.not_valid_after_utc > dt.datetime.now(dt.UTC) + dt.timedelta(days=800)


def test_an_identity_does_not_show_its_key(cms_identity: SigningIdentity) -> None:
    assert "PRIVATE" not in repr(cms_identity)
    assert "key_pem" not in repr(cms_identity)
    assert cms_identity.algorithm == "es256"


def test_folders_without_a_fitting_pair_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidIdentity, match="no readable"):
        SigningIdentity.load(tmp_path)
    create_development_identities(tmp_path)
    key = tmp_path / "cms" / "key.pem"
    key.write_bytes((tmp_path / "edge" / "key.pem").read_bytes())
    with pytest.raises(InvalidIdentity, match="does not belong"):
        SigningIdentity.load(tmp_path / "cms")
    key.write_bytes(b"no key")
    with pytest.raises(InvalidIdentity, match="private key is not readable"):
        SigningIdentity.load(tmp_path / "cms")
    (tmp_path / "cms" / "chain.pem").write_bytes(b"")
    with pytest.raises(InvalidIdentity, match="chain is not readable"):
        SigningIdentity.load(tmp_path / "cms")


def test_an_expired_certificate_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(certificates, "LEAF_DAYS", 0)
    create_development_identities(tmp_path)
    with pytest.raises(InvalidIdentity, match="not valid today"):
        SigningIdentity.load(tmp_path / "cms")
