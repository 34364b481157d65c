from __future__ import annotations

import io
import json
import stat
import threading
from pathlib import Path
from typing import Any

import pytest

from imagepipe.conf import get_settings
from imagepipe.management.subcommands import keys as command
from imagepipe.provenance.keys import (
    KeyFolder,
    create_keys,
    load_grant_public_keys,
    load_grant_signer,
    load_keyring,
)


@pytest.fixture
def folder(tmp_path: Path, settings: Any) -> KeyFolder:
    settings.IMAGEPIPE = {**settings.IMAGEPIPE, "KEYS": tmp_path / "deep" / "keys"}
    return KeyFolder(get_settings().KEYS)


def contents(folder: KeyFolder) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.path.rglob("*") if path.is_file()}


def test_keys_are_made_once_and_kept(folder: KeyFolder) -> None:
    made = create_keys()
    assert {folder.url_keys, folder.grant_key, folder.grant_keys, folder.root} <= set(made)
    assert (folder.cms_identity / "chain.pem").exists()
    assert (folder.edge_identity / "key.pem").exists()
    before = contents(folder)
    assert create_keys() == ()
    assert contents(folder) == before


def test_private_files_are_private(folder: KeyFolder) -> None:
    create_keys()
    for path in folder.secrets():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


def test_what_was_made_can_be_used(folder: KeyFolder) -> None:
    create_keys()
    signer = load_grant_signer()
    public = load_grant_public_keys()[signer.key_id]
    assert public.public_bytes_raw() == signer.key.public_key().public_bytes_raw()
    assert load_keyring() is load_keyring()


def test_a_rotated_keyring_is_read_again(folder: KeyFolder) -> None:
    create_keys()
    old = load_keyring()
    folder.url_keys.write_text(old.rotated("k2").to_json())
    assert load_keyring().active == "k2"
    assert set(load_keyring().ids) == {"k1", "k2"}


def test_processes_that_start_together_agree(folder: KeyFolder) -> None:
    barrier, found = threading.Barrier(4), []

    def work() -> None:
        barrier.wait()
        create_keys(folder)
        found.append(contents(folder))

    threads = [threading.Thread(target=work) for _number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(files == contents(folder) for files in found)
    assert len(found) == 4


def test_the_command_tells_what_it_made(folder: KeyFolder) -> None:
    first, second = io.StringIO(), io.StringIO()
    command.handle({}, first, io.StringIO())  # type: ignore[arg-type]
    command.handle({}, second, io.StringIO())  # type: ignore[arg-type]
    assert f"created {folder.url_keys}\n" in first.getvalue()
    assert second.getvalue() == f"all keys are there: {folder.path}\n"
    [secret] = json.loads(folder.url_keys.read_text())["keys"].values()
    assert secret not in first.getvalue()
