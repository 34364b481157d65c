from __future__ import annotations

from pathlib import Path

import pytest
from django.contrib.auth.models import Group, User
from django.core.exceptions import PermissionDenied
from wagtail.models import Collection, GroupCollectionPermission

from imagepipe.assets.models import Asset, AssetVersion, Lineage
from imagepipe.audit import trail
from imagepipe.audit.models import AuditEvent
from imagepipe.exceptions import ImagepipeError, InvalidState
from imagepipe.review.models import Review
from imagepipe.workflow import blobs
from imagepipe.workflow.actions import AcceptCandidate, RejectCandidate, StartRun
from imagepipe.workflow.exceptions import LostWork
from imagepipe.workflow.models import Candidate, Run

pytestmark = pytest.mark.django_db


@pytest.fixture
def candidate(start, finish) -> Candidate:
    candidate = finish(start(candidates=1, seed=21, seed_policy="fixed")).candidates.get()
    assert candidate.state == Candidate.State.OFFERED
    return candidate


def test_accepting_makes_an_approved_version_with_the_same_bytes(candidate, editor):
    version = AcceptCandidate(candidate, editor, title="A teapot").execute()
    assert (version.state, version.number) == (AssetVersion.State.APPROVED, 1)
    assert version.origin == AssetVersion.Origin.GENERATED
    assert version.sha256 == candidate.sha256
    assert version.recipe == candidate.recipe
    assert version.recipe_sha256 == candidate.recipe_sha256
    assert version.is_generated
    assert version.asset.title == "A teapot"
    assert version.asset.image is None
    assert version.asset.collection == candidate.run.collection
    candidate.refresh_from_db()
    assert (candidate.state, candidate.version) == (Candidate.State.ACCEPTED, version)
    assert candidate.asset == version.asset
    events = AuditEvent.objects.filter(chain=candidate.uid.hex)
    assert list(events.values_list("action", "actor_name")) == [
        ("imagepipe.candidate.accept", "editor")
    ]
    assert trail.verify_chain(version.asset.uid.hex) is None


def test_a_picture_is_accepted_only_once(candidate, editor):
    AcceptCandidate(candidate, editor).execute()
    for action in (
        AcceptCandidate(candidate, editor),
        RejectCandidate(candidate, editor, reason="other"),
    ):
        with pytest.raises(InvalidState, match="“Accepted” already"):
            action.execute()
    assert Asset.objects.count() == 1


def test_a_stale_object_does_not_accept_twice(candidate, editor):
    stale = Candidate.objects.get(pk=candidate.pk)
    AcceptCandidate(candidate, editor).execute()
    with pytest.raises(InvalidState):
        AcceptCandidate(stale, editor).execute()
    assert Asset.objects.count() == 1


def test_a_refused_picture_cannot_be_accepted(candidate, editor):
    Candidate.objects.update(state=Candidate.State.REFUSED)
    candidate.refresh_from_db()
    with pytest.raises(InvalidState, match="Refused by a check"):
        AcceptCandidate(candidate, editor).execute()
    assert not Asset.objects.exists()


def test_rejecting_keeps_the_reason_and_makes_no_asset(candidate, editor):
    review = RejectCandidate(candidate, editor, reason="artefact", note="six fingers").execute()
    candidate.refresh_from_db()
    assert candidate.state == Candidate.State.REJECTED
    assert (review.decision, review.reason, review.note) == (
        Review.Decision.REJECTED,
        "artefact",
        "six fingers",
    )
    assert (review.subject_uid, review.reviewer) == (candidate.uid, editor)
    assert not Asset.objects.exists()


def test_rejecting_needs_a_reason_from_the_list(candidate, editor):
    with pytest.raises(InvalidState, match="Choose a reason"):
        RejectCandidate(candidate, editor, reason="because").execute()
    candidate.refresh_from_db()
    assert candidate.state == Candidate.State.OFFERED
    assert not Review.objects.exists()


def test_four_eyes_keep_the_author_from_accepting(candidate, editor, settings):
    settings.IMAGEPIPE = settings.IMAGEPIPE | {"FOUR_EYES": True}
    with pytest.raises(ImagepipeError, match="Somebody else"):
        AcceptCandidate(candidate, editor).execute()
    assert not Asset.objects.exists()
    other = User.objects.create_superuser("other")
    assert AcceptCandidate(candidate, other).execute().state == AssetVersion.State.APPROVED


@pytest.mark.parametrize("verb", ["view", "generate", "change", "license", "publish", "review"])
def test_only_reviewers_of_the_collection_decide(candidate, root, verb):
    from django.contrib.auth.models import Permission

    group = Group.objects.create(name="g")
    user = User.objects.create_user("u")
    user.groups.add(group)
    other = root.add_child(instance=Collection(name="Other"))
    permission = Permission.objects.get(codename=f"{verb}_asset")
    place = GroupCollectionPermission.objects.create(
        group=group, collection=other, permission=permission
    )
    actions = (
        lambda: AcceptCandidate(candidate, User.objects.get(pk=user.pk)),
        lambda: RejectCandidate(candidate, User.objects.get(pk=user.pk), reason="other"),
    )
    for make in actions:
        with pytest.raises(PermissionDenied):
            make().execute()
    place.delete()
    GroupCollectionPermission.objects.create(
        group=group, collection=root, permission=permission
    )
    if verb == "review":
        assert actions[0]().execute().state == AssetVersion.State.APPROVED
        return
    for make in actions:
        with pytest.raises(PermissionDenied):
            make().execute()
    candidate.refresh_from_db()
    assert candidate.state == Candidate.State.OFFERED
    assert not Asset.objects.exists()


def test_damaged_bytes_are_not_accepted(candidate, editor, private_folder: Path):
    (private_folder / blobs.blob_name(candidate.sha256)).write_bytes(b"other")
    with pytest.raises(LostWork, match="damaged"):
        AcceptCandidate(candidate, editor).execute()
    assert not Asset.objects.exists()


def test_more_like_this_asks_again_with_new_seeds_and_keeps_the_lineage(
    candidate, editor, finish
):
    version = AcceptCandidate(candidate, editor).execute()
    more = StartRun(Run(title="", variation_of=candidate), editor).execute()
    assert more.title == candidate.run.title
    assert more.request["prompt_used"] == candidate.run.request["prompt_used"]
    assert set(more.request["seeds"]).isdisjoint(candidate.run.request["seeds"])
    more = finish(more)
    child = more.candidates.filter(state=Candidate.State.OFFERED).first()
    assert child is not None, [c.findings for c in more.candidates.all()]
    variation = AcceptCandidate(child, editor).execute()
    assert variation.asset != version.asset
    edge = Lineage.objects.get()
    assert (edge.child, edge.parent, edge.relation) == (variation, version, "variation")
    again = StartRun(Run(title="", variation_of=child), editor).execute()
    assert again.request["prompt_used"] == candidate.run.request["prompt_used"]
