"""A delivery storage that was lost is written again from the database and the masters."""

from __future__ import annotations

import shutil

from django.core.management import call_command

from imagepipe.delivery.actions import PublishVersion, WithdrawAsset
from imagepipe.delivery.reconcile import reconcile_now
from imagepipe.grants import SHARDS, Grant, grant_path
from tests.delivery.library import Library


def content(grant: Grant) -> dict[str, object]:
    return {
        name: value
        for name, value in grant.to_dict().items()
        if name not in ("issued_at", "valid_until")
    }


def test_rebuild_writes_what_was_lost(library: Library) -> None:
    shown, gone = library.asset(), library.asset()
    for asset in (shown, gone):
        library.do(PublishVersion(library.version(asset), None))
    library.do(WithdrawAsset(gone, None, reason="test"))
    reconcile_now()
    before = {asset: content(library.grant(asset)) for asset in (shown, gone)}
    masters = library.delivered_masters()
    shutil.rmtree(library.delivery)

    call_command("imagepipe", "reconcile")
    assert not (library.delivery / grant_path(shown.uid.hex)).exists()
    call_command("imagepipe", "reconcile", "--rebuild")

    assert {asset: content(library.grant(asset)) for asset in (shown, gone)} == before
    assert library.delivered_masters() == masters
    assert len(masters) == 1
    assert len(list((library.delivery / "feed").iterdir())) == SHARDS
    own = [entry for entry in library.feed(shown).entries if entry.asset == shown.uid.hex]
    assert own[-1].grant_sequence == before[shown]["sequence"]
    assert library.publication(shown).observed == library.publication(shown).desired
