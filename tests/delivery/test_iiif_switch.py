from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import PermissionDenied

from imagepipe.audit.models import AuditEvent
from imagepipe.delivery.actions import PublishVersion
from imagepipe.delivery.iiif_actions import SetIiif
from imagepipe.delivery.reconcile import reconcile_now
from imagepipe.exceptions import InvalidState
from tests.delivery.library import Library
from tests.delivery.test_publish_permission import user_with


def test_the_edges_are_told_when_a_picture_is_opened_and_closed(library: Library) -> None:
    asset = library.asset()
    library.do(PublishVersion(library.version(asset), None))
    reconcile_now()
    assert library.grant(asset).iiif is False

    library.do(SetIiif(asset, None, is_open=True))
    reconcile_now()
    opened = library.grant(asset)
    library.do(SetIiif(asset, None, is_open=False))
    reconcile_now()
    closed = library.grant(asset)

    assert (opened.iiif, closed.iiif) == (True, False)
    assert opened.sequence < closed.sequence == library.feed(asset).entries[-1].grant_sequence
    events = AuditEvent.objects.filter(action="imagepipe.set_iiif").order_by("pk")
    assert [event.data["open"] for event in events] == [True, False]


def test_what_is_not_published_is_opened_for_later(library: Library) -> None:
    asset = library.asset()
    library.do(SetIiif(asset, None, is_open=True))
    reconcile_now()
    assert not (library.delivery / "grants").exists()

    asset.refresh_from_db()
    library.do(PublishVersion(library.version(asset), None))
    reconcile_now()

    assert library.grant(asset).iiif is True


def test_the_change_and_its_publication_are_one(library: Library) -> None:
    """A crash after the transaction leaves a publication that is still to be written."""
    asset = library.asset()
    library.do(PublishVersion(library.version(asset), None))
    SetIiif(asset, None, is_open=True).execute()  # follow-ups never run

    publication = library.publication(asset)
    assert publication.desired > publication.observed


def test_nothing_is_done_twice(library: Library) -> None:
    asset = library.asset()
    with pytest.raises(InvalidState, match="closed"):
        SetIiif(asset, None, is_open=False).execute()
    SetIiif(asset, None, is_open=True).execute()
    with pytest.raises(InvalidState, match="open"):
        SetIiif(asset, None, is_open=True).execute()


@pytest.mark.parametrize("verb", ["view", "generate", "change", "review", "license"])
def test_only_publishers_open_and_close(library: Library, verb: str) -> None:
    asset: Any = library.asset()
    user = user_with(verb, asset.collection)
    with pytest.raises(PermissionDenied):
        SetIiif(asset, user, is_open=True).execute()
    asset.refresh_from_db()
    assert asset.iiif is False
