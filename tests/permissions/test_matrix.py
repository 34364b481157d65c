"""Every action, every role, every place: who may do what, written out.

Groups hold their rights for one collection, "own". They count there and in its children, and
nowhere else. Models belong to no collection; their rights are those of the whole site.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, Group, Permission, User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from wagtail.models import Collection, GroupCollectionPermission

import imagepipe
from imagepipe.actions.base import Action
from imagepipe.audit.models import AuditEvent
from imagepipe.conf import get_settings
from imagepipe.exceptions import InvalidState
from imagepipe.permissions import VERBS
from imagepipe.review.actions import ApproveVersion, RejectVersion
from imagepipe.workflow.actions import AcceptCandidate, RejectCandidate, StartRun
from imagepipe.workflow.models import Run
from tests.delivery.library import Library
from tests.permissions import cases

ROLES = (
    "anonymous", "no-rights", "view", "generate", "change", "review", "license", "publish",
    "add-model", "promote-model", "inactive", "superuser", "system",
)  # fmt: skip
#: x: may, in its own collection and below; -: may not. Columns as in ROLES.
MATRIX: dict[cases.Case, str] = {
    #                       anon none view gen  chg  rev  lic  pub  addm prom inac supr syst
    cases.ingest_uploaded:  "-    -    -    -    x    -    -    -    -    -    -    x    x",
    cases.ingest_generated: "-    -    -    x    -    -    -    -    -    -    -    x    x",
    cases.set_alt_text:     "-    -    -    -    x    -    -    -    -    -    -    x    x",
    cases.mark_decorative:  "-    -    -    -    x    -    -    -    -    -    -    x    x",
    cases.keep_suggestions: "-    -    -    -    x    -    -    -    -    -    -    x    x",
    cases.take_suggestion:  "-    -    -    -    x    -    -    -    -    -    -    x    x",
    cases.dismiss_suggestion: "-    -    -    -    x    -    -    -    -    -    -    x    x",
    cases.start_suggestions: "-    -    -    -    x    -    -    -    -    -    -    x    x",
    cases.republish:        "-    -    -    -    -    -    -    x    -    -    -    x    x",
    cases.add_style:        "-    -    -    -    x    -    -    -    -    -    -    x    x",
    cases.retire_style:     "-    -    -    -    x    -    -    -    -    -    -    x    x",
    cases.set_rights:       "-    -    -    -    -    -    x    -    -    -    -    x    x",
    cases.approve:          "-    -    -    -    -    x    -    -    -    -    -    x    x",
    cases.reject:           "-    -    -    -    -    x    -    -    -    -    -    x    x",
    cases.publish:          "-    -    -    -    -    -    -    x    -    -    -    x    x",
    cases.withdraw:         "-    -    -    -    -    -    -    x    -    -    -    x    x",
    cases.set_iiif:         "-    -    -    -    -    -    -    x    -    -    -    x    x",
    cases.set_crop:         "-    -    -    -    x    -    -    -    -    -    -    x    x",
    cases.remove_crop:      "-    -    -    -    x    -    -    -    -    -    -    x    x",
    cases.restore_crop:     "-    -    -    -    x    -    -    -    -    -    -    x    x",
    cases.start_run:        "-    -    -    x    -    -    -    -    -    -    -    x    x",
    cases.start_graph:      "-    -    -    -    -    -    -    -    -    -    -    x    x",
    cases.cancel_run:       "-    -    -    x    -    -    -    -    -    -    -    x    x",
    cases.retry_run:        "-    -    -    x    -    -    -    -    -    -    -    x    x",
    cases.start_matrix:     "-    -    -    x    -    -    -    -    -    -    -    x    x",
    cases.replay:           "-    -    -    x    -    -    -    -    -    -    -    x    x",
    cases.ask_for_notice:   "-    -    -    x    -    -    -    -    -    -    -    x    x",
    cases.pause_run:        "-    -    -    x    -    -    -    -    -    -    -    x    x",
    cases.resume_run:       "-    -    -    x    -    -    -    -    -    -    -    x    x",
    cases.move_run:         "-    -    -    x    -    -    -    -    -    -    -    x    x",
    cases.set_priority:     "-    -    -    x    -    -    -    -    -    -    -    x    x",
    cases.retry_failed_steps: "-    -    -    x    -    -    -    -    -    -    -    x    x",
    cases.request_more:     "-    x    x    x    x    x    x    x    x    x    -    x    x",
    cases.decide_request:   "-    -    -    -    -    -    -    -    -    -    -    x    x",
    cases.set_quota:        "-    -    -    -    -    -    -    -    -    -    -    x    x",
    cases.remove_quota:     "-    -    -    -    -    -    -    -    -    -    -    x    x",
    cases.prefer_notice:    "-    x    x    x    x    x    x    x    x    x    -    x    x",
    cases.accept_candidate: "-    -    -    -    -    x    -    -    -    -    -    x    x",
    cases.reject_candidate: "-    -    -    -    -    x    -    -    -    -    -    x    x",
    cases.pin_candidate:    "-    -    -    x    -    x    -    -    -    -    -    x    x",
    cases.star_candidate:   "-    -    x    x    -    x    -    -    -    -    -    x    x",
    cases.register_model:   "-    -    -    -    -    -    -    -    x    -    -    x    x",
    cases.import_model:     "-    -    -    -    -    -    -    -    x    -    -    x    x",
    cases.promote_model:    "-    -    -    -    -    -    -    -    -    x    -    x    x",
    cases.retire_model:     "-    -    -    -    -    -    -    -    -    x    -    x    x",
    cases.create_engine:    "-    -    -    -    -    -    -    -    -    -    -    x    x",
    cases.change_engine:    "-    -    -    -    -    -    -    -    -    -    -    x    x",
    cases.replace_key:      "-    -    -    -    -    -    -    -    -    -    -    x    x",
    cases.switch_engine:    "-    -    -    -    -    -    -    -    -    -    -    x    x",
}  # fmt: skip
ELSEWHERE = {"superuser", "system"}
WITHOUT_COLLECTION = {
    cases.register_model, cases.import_model, cases.promote_model, cases.retire_model,
    cases.request_more, cases.decide_request, cases.set_quota, cases.remove_quota,
    cases.prefer_notice, cases.create_engine, cases.change_engine,
    cases.replace_key, cases.switch_engine,
}  # fmt: skip


def all_actions() -> set[type[Action[Any, Any]]]:
    for module in pkgutil.walk_packages(imagepipe.__path__, "imagepipe."):
        if module.name.endswith(".actions"):
            importlib.import_module(module.name)

    def below(parent: type) -> Iterator[type]:
        for child in parent.__subclasses__():
            yield child
            yield from below(child)

    return {
        action
        for action in below(Action)
        if action.__module__.startswith("imagepipe.") and not action.__name__.startswith("_")
    }


@pytest.fixture
def places(library: Library) -> dict[str, Collection]:
    root = Collection.get_first_root_node() or Collection.add_root(name="Root")
    own, other = root.add_child(name="Own"), root.add_child(name="Other")
    return {"own": own, "child": own.add_child(name="Child"), "other": other}


@pytest.fixture
def people(places: dict[str, Collection]) -> dict[str, Any]:
    found: dict[str, Any] = {name: User.objects.create_user(name) for name in ROLES[1:-1]}
    for verb in VERBS:
        permission = Permission.objects.get(codename=f"{verb}_asset")
        group = Group.objects.create(name=verb)
        GroupCollectionPermission.objects.create(
            group=group, collection=places["own"], permission=permission
        )
        found[verb].groups.add(group)
    for name, codename in (("add", "add"), ("promote", "promote")):
        permission = Permission.objects.get(codename=f"{codename}_registeredmodel")
        found[f"{name}-model"].user_permissions.add(permission)
    User.objects.filter(username__in=["superuser", "inactive"]).update(is_superuser=True)
    User.objects.filter(username="inactive").update(is_active=False)
    fresh = {name: User.objects.get(pk=user.pk) for name, user in found.items()}
    return {"anonymous": AnonymousUser(), **fresh, "system": None}


def may(case: cases.Case, library: Library, place: Collection, user: Any) -> bool:
    """Whether it is done; if it is not, nothing may have changed."""
    point = transaction.savepoint()
    try:
        action = case(library, place, user)
        before = AuditEvent.objects.count()
        try:
            action.execute()
        except PermissionDenied:
            assert AuditEvent.objects.count() == before
            return False
        event = AuditEvent.objects.latest("pk")
        assert (event.action, event.actor) == (action.action_name, user)
        return True
    finally:
        transaction.savepoint_rollback(point)


def test_every_action_has_a_row(library: Library, places: dict[str, Collection]) -> None:
    covered = {type(case(library, places["own"], None)) for case in MATRIX}
    assert all_actions() == covered


@pytest.mark.parametrize("place", ["own", "child", "other"])
@pytest.mark.parametrize("case", MATRIX, ids=lambda case: case.__name__)
def test_who_may(
    library: Library,
    places: dict[str, Collection],
    people: dict[str, Any],
    case: cases.Case,
    place: str,
) -> None:
    expected = dict(zip(ROLES, (mark == "x" for mark in MATRIX[case].split()), strict=True))
    if place == "other" and case not in WITHOUT_COLLECTION:
        expected = {role: role in ELSEWHERE for role in ROLES}
    seen = {role: may(case, library, places[place], people[role]) for role in ROLES}
    assert seen == expected


@pytest.fixture(params=[True, False], ids=["four-eyes", "two-eyes"])
def four_eyes(request: pytest.FixtureRequest, settings: Any, library: Library) -> bool:
    settings.IMAGEPIPE = {**settings.IMAGEPIPE, "FOUR_EYES": request.param}
    assert get_settings().FOUR_EYES is request.param
    return bool(request.param)


@pytest.mark.parametrize("who", ["review", "superuser"])
def test_nobody_approves_their_own_version_where_four_eyes_are_required(
    library: Library, places: dict[str, Collection], people: Any, four_eyes: bool, who: str
) -> None:
    asset = library.asset(collection=places["own"])
    version = library.version(asset, state="draft", created_by=people[who])
    if four_eyes:
        with pytest.raises(PermissionDenied, match="other than the creator"):
            ApproveVersion(version, people[who]).execute()
        version.refresh_from_db()
        assert version.state == "draft"
        other = people["superuser" if who == "review" else "review"]
        ApproveVersion(version, other).execute()
    else:
        ApproveVersion(version, people[who]).execute()
    assert version.state == "approved"


@pytest.mark.parametrize("who", ["review", "superuser"])
def test_nobody_accepts_what_they_asked_for_where_four_eyes_are_required(
    places: dict[str, Collection], people: Any, four_eyes: bool, who: str
) -> None:
    candidate = cases.candidate_in(places["own"], people[who])
    if four_eyes:
        with pytest.raises(InvalidState, match="Somebody else"):
            AcceptCandidate(candidate, people[who]).execute()
        candidate.refresh_from_db()
        assert candidate.state == "offered"
        other = people["superuser" if who == "review" else "review"]
        assert AcceptCandidate(candidate, other).execute().state == "approved"
    else:
        assert AcceptCandidate(candidate, people[who]).execute().state == "approved"


def test_one_s_own_pictures_may_always_be_turned_down(
    library: Library, places: dict[str, Collection], people: Any, four_eyes: bool
) -> None:
    reviewer = people["review"]
    asset = library.asset(collection=places["own"])
    version = library.version(asset, state="draft", created_by=reviewer)
    assert RejectVersion(version, reviewer, reason="legal").execute().state == "rejected"
    candidate = cases.candidate_in(places["own"], reviewer)
    RejectCandidate(candidate, reviewer, reason="artefact").execute()
    assert candidate.state == "rejected"


def test_more_like_this_needs_rights_where_the_picture_is(
    places: dict[str, Collection], people: Any
) -> None:
    """Its prompt would be copied into a run of one's own collection."""
    for place, allowed in (("own", True), ("child", True), ("other", False)):
        run = Run(variation_of=cases.candidate_in(places[place]), collection=places["own"])
        if allowed:
            assert StartRun(run, people["generate"]).execute().pk
        else:
            with pytest.raises(PermissionDenied):
                StartRun(run, people["generate"]).execute()
