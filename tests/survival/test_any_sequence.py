"""Whatever is done in whatever order: no master, version or audit event is lost."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db import transaction
from django.test import TestCase
from django.utils import timezone
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from wagtail.images import get_image_model
from wagtail.models import Collection

from imagepipe.assets.actions import IngestVersion
from imagepipe.assets.inspection import inspect_picture
from imagepipe.assets.models import Asset, AssetVersion
from imagepipe.delivery import upkeep
from imagepipe.delivery.actions import PublishVersion, WithdrawAsset
from imagepipe.delivery.expiry import apply_windows
from imagepipe.delivery.reconcile import reconcile_now
from imagepipe.exceptions import ImagepipeError
from imagepipe.review.actions import ApproveVersion, RejectVersion
from imagepipe.rights.actions import SetRights
from imagepipe.workflow.uploads import adopt
from tests.delivery.library import Library, loose_image, png
from tests.survival.ledger import Ledger

Pick = st.integers(0, 50)
PICTURES = [png(colour=number) for number in range(900, 904)]
Bytes = st.sampled_from(PICTURES)


class Editing(RuleBasedStateMachine):
    library: Library

    def __init__(self) -> None:
        super().__init__()
        self.transaction = transaction.atomic()
        self.transaction.__enter__()
        self.ledger = Ledger(self.library)

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.transaction.__exit__(None, None, None)

    @initialize()
    def begin(self) -> None:
        self.root = Collection.get_first_root_node() or Collection.add_root(name="Root")
        self.asset = self.library.asset(collection=self.root.add_child(name="Own"))

    def attempt(self, change: Callable[[], Any]) -> None:
        """As in a request: refused, or committed with its follow-ups."""
        try:
            with TestCase.captureOnCommitCallbacks(execute=True), transaction.atomic():
                change()
        except ImagepipeError:
            pass

    def versions(self, pick: int) -> AssetVersion | None:
        found = list(AssetVersion.objects.order_by("pk"))
        return found[pick % len(found)] if found else None

    def images(self, pick: int) -> Any:
        found = list(get_image_model().objects.order_by("pk"))
        return found[pick % len(found)] if found else None

    @rule(content=Bytes)
    def ingest(self, content: bytes) -> None:
        action = IngestVersion(
            self.asset, None, content=content, facts=inspect_picture(content), origin="uploaded"
        )
        self.attempt(action.execute)

    @rule(content=Bytes)
    def create_image(self, content: bytes) -> None:
        model, file = get_image_model(), ContentFile(content, name="boat.png")
        self.attempt(lambda: model.objects.create(title="Boat", file=file))

    @rule(content=Bytes)
    def adopt(self, content: bytes) -> None:
        self.attempt(lambda: adopt(loose_image(content)))

    @rule(pick=Pick, content=Bytes)
    def change_file(self, pick: int, content: bytes) -> None:
        if image := self.images(pick):
            image.file = ContentFile(content, name="changed.png")
            self.attempt(image.save)

    @rule(pick=Pick)
    def delete_image(self, pick: int) -> None:
        if image := self.images(pick):
            self.attempt(image.delete)

    @rule()
    def delete_collection(self) -> None:
        self.attempt(Collection.objects.filter(name="Own").delete)

    @rule(pick=Pick)
    def approve(self, pick: int) -> None:
        if version := self.versions(pick):
            self.attempt(ApproveVersion(version, None).execute)

    @rule(pick=Pick)
    def reject(self, pick: int) -> None:
        if version := self.versions(pick):
            self.attempt(RejectVersion(version, None, reason="legal").execute)

    @rule(pick=Pick)
    def publish(self, pick: int) -> None:
        if version := self.versions(pick):
            self.attempt(PublishVersion(version, None, decorative=True).execute)

    @rule(pick=Pick)
    def withdraw(self, pick: int) -> None:
        if version := self.versions(pick):
            self.attempt(WithdrawAsset(version.asset, None, reason="x").execute)

    @rule(pick=Pick, days=st.sampled_from([-1, 1]), markets=st.sampled_from([[], ["DE"]]))
    def set_rights(self, pick: int, days: int, markets: list[str]) -> None:
        if version := self.versions(pick):
            values = {
                "licence": "MIT",
                "rights_holder": "Ada",
                "markets": markets,
                "valid_until": timezone.now() + dt.timedelta(days=days),
            }
            self.attempt(SetRights(version.asset, None, values=values).execute)

    @rule(pick=Pick)
    def give_up_half_way(self, pick: int) -> None:
        if version := self.versions(pick):
            try:
                with transaction.atomic():
                    PublishVersion(version, None, decorative=True).execute()
                    raise ImagepipeError("no")
            except ImagepipeError:
                pass

    @rule()
    def work(self) -> None:
        reconcile_now()
        apply_windows()
        upkeep.sweep_masters()

    @invariant()
    def nothing_is_lost(self) -> None:
        self.ledger.check()
        self.ledger.write_down()

    @invariant()
    def at_most_one_version_is_published(self) -> None:
        for asset in Asset.objects.all():
            published = set(asset.versions.filter(state="published"))
            assert published == {asset.published_version} - {None}

    @invariant()
    def media_show_only_what_is_published_or_adopted(self) -> None:
        allowed = set(
            AssetVersion.objects.filter(state__in=("published", "approved")).values_list(
                "sha256", flat=True
            )
        )
        secret = set(AssetVersion.objects.values_list("sha256", flat=True)) - allowed
        for image in get_image_model().objects.all():
            with image.file.open() as file:
                assert inspect_picture(file.read()).sha256 not in secret


@pytest.mark.django_db
def test_any_sequence(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imagepipe.delivery.reconcile.can_sign", lambda: False)
    monkeypatch.setattr(upkeep, "SWEEP_AGE", dt.timedelta(0))
    machine = type("Editing", (Editing,), {"library": library})
    run_state_machine_as_test(
        machine, settings=settings(max_examples=20, stateful_step_count=25, deadline=None)
    )
