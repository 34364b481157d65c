from __future__ import annotations

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from imagepipe.delivery.actions import PublishVersion, WithdrawAsset
from imagepipe.delivery.reconcile import reconcile_now
from imagepipe.exceptions import InvalidState
from imagepipe.grants import decide
from tests.delivery.library import Library

STEPS = st.lists(
    st.sampled_from(["publish-1", "publish-2", "withdraw", "reconcile"]), max_size=12
)


@pytest.fixture
def bare(library: Library, monkeypatch: pytest.MonkeyPatch) -> Library:
    """Without signing, which these rules do not depend on."""
    monkeypatch.setattr("imagepipe.delivery.reconcile.can_sign", lambda: False)
    return library


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(steps=STEPS)
def test_any_order_of_actions_keeps_the_outbox_true(bare: Library, steps: list[str]) -> None:
    asset = bare.asset()
    versions = {"publish-1": bare.version(asset), "publish-2": bare.version(asset)}
    sequences = [0]
    for step in [*steps, "reconcile"]:
        try:
            if step == "reconcile":
                reconcile_now()
            elif step == "withdraw":
                bare.do(WithdrawAsset(asset, None, reason="property"))
            else:
                bare.do(PublishVersion(versions[step], None))
        except InvalidState:
            continue
        asset.refresh_from_db()
        if not hasattr(asset, "publication"):
            continue
        publication = bare.publication(asset)
        assert publication.observed <= publication.desired
        if publication.observed:
            sequences.append(bare.grant(asset).sequence)
    assert sequences == sorted(sequences)
    states = {version.number: version.state for version in asset.versions.all()}
    assert list(states.values()).count("published") == (asset.published_version is not None)
    if sequences[-1]:
        publication = bare.publication(asset)
        assert publication.observed == publication.desired == sequences[-1]
        now = int(timezone.now().timestamp())
        for version in asset.versions.exclude(state="approved"):
            decision = decide(bare.grant(asset), version.sha256[:16], now)
            assert decision.allowed == (
                asset.published_version is not None and version.state != "withdrawn"
            )
        wanted = {asset.published_version.sha256} if asset.published_version else set()
        assert {
            version.sha256 for version in asset.versions.all()
        } & bare.media_hashes() == wanted
