"""The steps of docs/how-to/rotate-keys.md, with real files, addresses and grants."""

from __future__ import annotations

import contextlib
import json
import re
import secrets
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.management import call_command

from imagepipe.delivery.actions import PublishVersion
from imagepipe.delivery.addresses import edge_url
from imagepipe.delivery.reconcile import reconcile_now
from imagepipe.grants import feed_path, grant_path, load_public_keys, shard_of
from imagepipe.provenance.keys import KeyFolder, create_keys, key_folder
from imagepipe.urlspec import Keyring, Transform, UnknownKey, verify_url
from tests.delivery.conftest import library
from tests.delivery.library import Library

__all__ = ["library"]

HOW_TO = Path(__file__).parents[2] / "docs/how-to/rotate-keys.md"


@pytest.fixture
def keys(library: Library, tmp_path: Path, settings: Any) -> KeyFolder:
    settings.IMAGEPIPE = settings.IMAGEPIPE | {"KEYS": tmp_path / "rotating"}
    create_keys()
    return key_folder()


def test_addresses_move_to_the_new_key(library: Library, keys: KeyFolder) -> None:
    asset = library.asset()
    library.do(PublishVersion(library.version(asset), None))

    def address() -> str:
        document = library.publication(asset).document
        return urlsplit(edge_url(document, Transform(width=320), "jpg")).path

    old = address()
    document = json.loads(keys.url_keys.read_text())
    document["keys"]["k2"] = secrets.token_hex(32)
    keys.url_keys.write_text(json.dumps(document))
    edge = Keyring.from_json(keys.url_keys.read_bytes())
    assert address() == old
    keys.url_keys.write_text(json.dumps(document | {"active": "k2"}))
    new = address()
    assert (old.split("/")[1], new.split("/")[1]) == ("k1", "k2")
    assert verify_url(old, edge, int(time.time())) == verify_url(new, edge, int(time.time()))
    del document["keys"]["k1"]
    last = Keyring.from_json(json.dumps(document | {"active": "k2"}))
    assert verify_url(new, last, int(time.time())).asset == asset.uid.hex
    with pytest.raises(UnknownKey):
        verify_url(old, last, int(time.time()))


def test_grants_move_to_the_new_key(library: Library, keys: KeyFolder) -> None:
    asset = library.asset()
    library.do(PublishVersion(library.version(asset), None))
    reconcile_now()

    def signed_by(name: str) -> str:
        return json.loads((library.delivery / name).read_bytes())["key"]

    grant, feed = grant_path(asset.uid.hex), feed_path(shard_of(asset.uid.hex))
    assert (signed_by(grant), signed_by(feed)) == ("g1", "g1")
    [code] = re.findall(r"```python\n(.*?)```", HOW_TO.read_text("utf-8"), re.DOTALL)
    with contextlib.chdir(keys.path):
        exec("\n".join(line.strip() for line in code.splitlines()), {})  # noqa: S102
    assert set(load_public_keys(keys.grant_keys)) == {"g1", "g2"}
    (keys.path / "grant-key-g2.pem").replace(keys.grant_key)
    call_command("imagepipe", "reconcile", "--rebuild")
    assert (signed_by(grant), signed_by(feed)) == ("g2", "g2")
    assert library.grant(asset).sequence == library.publication(asset).desired
