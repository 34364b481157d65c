"""How each action is brought before somebody who may or may not do it."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable
from typing import Any

from django.contrib.auth.models import AbstractBaseUser, User
from wagtail.models import Collection

from imagepipe.actions.base import Action
from imagepipe.assets.actions import IngestVersion, MarkDecorative, SetAltText
from imagepipe.assets.inspection import inspect_picture
from imagepipe.assets.models import Asset, AssetVersion
from imagepipe.delivery.actions import PublishVersion, WithdrawAsset
from imagepipe.delivery.crop_actions import RemoveCrop, RestoreCrop, SetCrop
from imagepipe.delivery.iiif_actions import SetIiif
from imagepipe.generation.actions import ChangeEngine, CreateEngine, ReplaceKey, SwitchEngine
from imagepipe.generation.models import Engine
from imagepipe.generation.recipe import Environment, ModelFacts, Recipe
from imagepipe.prompts.models import PromptTemplate
from imagepipe.registry.actions import PromoteModel, RegisterModel, RetireModel
from imagepipe.registry.entries import Entry
from imagepipe.registry.models import RegisteredModel
from imagepipe.review.actions import ApproveVersion, RejectVersion
from imagepipe.rights.actions import SetRights
from imagepipe.seo.alt_text import bulk
from imagepipe.seo.alt_text.actions import DismissSuggestion, KeepSuggestions, TakeSuggestion
from imagepipe.seo.alt_text.suggesting import Outcome
from imagepipe.seo.models import AltSuggestion
from imagepipe.workflow import blobs, republication
from imagepipe.workflow.actions import (
    AcceptCandidate,
    CancelRun,
    RejectCandidate,
    RetryRun,
    StartRun,
)
from imagepipe.workflow.briefs import Brief
from imagepipe.workflow.graph_actions import StartGraph
from imagepipe.workflow.mark_actions import PinCandidate, StarCandidate
from imagepipe.workflow.mark_models import Star
from imagepipe.workflow.matrix_actions import Cell, StartMatrix
from imagepipe.workflow.model_import import ImportModel
from imagepipe.workflow.models import Candidate, Run, RunState
from imagepipe.workflow.notice_actions import AskForNotice, SetNoticePreference
from imagepipe.workflow.queue_actions import (
    MoveRun,
    PauseRun,
    ResumeRun,
    RetryFailedSteps,
    SetPriority,
)
from imagepipe.workflow.queue_models import NoticePreference, Quota
from imagepipe.workflow.quota_actions import (
    DecideRequest,
    RemoveQuota,
    RequestMore,
    SetQuota,
)
from imagepipe.workflow.replay_actions import ReplayVersion
from imagepipe.workflow.style_actions import AddStyle, RetireStyle
from tests.delivery.library import Library, png

Case = Callable[[Library, Collection, AbstractBaseUser | None], Action[Any, Any]]
_numbers = itertools.count(1)


def _ingest(library: Library, place: Collection, user: Any, origin: str) -> Action[Any, Any]:
    content = png()
    return IngestVersion(
        library.asset(collection=place),
        user,
        content=content,
        facts=inspect_picture(content),
        origin=origin,
    )


def ingest_uploaded(library: Library, place: Collection, user: Any) -> Action[Any, Any]:
    return _ingest(library, place, user, "uploaded")


def ingest_generated(library: Library, place: Collection, user: Any) -> Action[Any, Any]:
    return _ingest(library, place, user, "generated")


def set_alt_text(library: Library, place: Collection, user: Any) -> Action[Any, Any]:
    return SetAltText(library.asset(collection=place), user, texts={"en": "Ships"})


def mark_decorative(library: Library, place: Collection, user: Any) -> Action[Any, Any]:
    return MarkDecorative(library.asset(collection=place), user, decorative=True)


def _suggestion(library: Library, place: Collection) -> AltSuggestion:
    asset = library.asset(collection=place)
    return AltSuggestion.objects.create(
        asset=asset, version=library.version(asset), language="en", text="A boat"
    )


def keep_suggestions(library: Library, place: Collection, user: Any) -> Action[Any, Any]:
    version = library.version(library.asset(collection=place))
    return KeepSuggestions(version.asset, user, outcome=Outcome(version))


def take_suggestion(library: Library, place: Collection, user: Any) -> Action[Any, Any]:
    return TakeSuggestion(_suggestion(library, place), user)


def dismiss_suggestion(library: Library, place: Collection, user: Any) -> Action[Any, Any]:
    return DismissSuggestion(_suggestion(library, place), user)


def start_suggestions(library: Library, place: Collection, user: Any) -> Action[Any, Any]:
    asset = library.asset(collection=place)
    run = bulk.prepare(Asset.objects.filter(pk=asset.pk), ["en"])
    run.collection = place
    return bulk.StartSuggestions(run, user)


def republish(library: Library, place: Collection, user: Any) -> Action[Any, Any]:
    asset = library.asset(collection=place)
    PublishVersion(library.version(asset), None).execute()
    run = republication.prepare(Asset.objects.filter(pk=asset.pk))
    run.collection = place
    return republication.Republish(run, user)


def _cleared(library: Library, place: Collection) -> AssetVersion:
    """A picture of our own that others may be made after."""
    version = library.version(library.asset(collection=place))
    values = {"licence": "own", "rights_holder": "we", "following": "own"}
    SetRights(version.asset, None, values=values).execute()
    return version


def add_style(library: Library, place: Collection, user: Any) -> Action[Any, Any]:
    return AddStyle(_cleared(library, place), user, name=f"style {next(_numbers)}")


def retire_style(library: Library, place: Collection, user: Any) -> Action[Any, Any]:
    return RetireStyle(add_style(library, place, None).execute(), user)


def set_rights(library: Library, place: Collection, user: Any) -> Action[Any, Any]:
    return SetRights(library.asset(collection=place), user, values={"licence": "MIT"})


def approve(library: Library, place: Collection, user: Any) -> Action[Any, Any]:
    version = library.version(library.asset(collection=place), state="draft")
    return ApproveVersion(version, user)


def reject(library: Library, place: Collection, user: Any) -> Action[Any, Any]:
    version = library.version(library.asset(collection=place), state="draft")
    return RejectVersion(version, user, reason="legal")


def publish(library: Library, place: Collection, user: Any) -> Action[Any, Any]:
    return PublishVersion(library.version(library.asset(collection=place)), user)


def withdraw(library: Library, place: Collection, user: Any) -> Action[Any, Any]:
    asset = library.asset(collection=place)
    PublishVersion(library.version(asset), None).execute()
    return WithdrawAsset(asset, user, reason="test")


def set_iiif(library: Library, place: Collection, user: Any) -> Action[Any, Any]:
    return SetIiif(library.asset(collection=place), user, is_open=True)


def set_crop(library: Library, place: Collection, user: Any) -> Action[Any, Any]:
    version = library.version(library.asset(collection=place))
    return SetCrop(version, user, name="square", region=(0, 0, 5000, 5000))


def remove_crop(library: Library, place: Collection, user: Any) -> Action[Any, Any]:
    version = set_crop(library, place, None).execute().version
    return RemoveCrop(version, user, name="square")


def restore_crop(library: Library, place: Collection, user: Any) -> Action[Any, Any]:
    crop = set_crop(library, place, None).execute()
    RemoveCrop(crop.version, None, name="square").execute()
    return RestoreCrop(crop, user)


def model(state: str = "allowed") -> RegisteredModel:
    number = next(_numbers)
    return RegisteredModel(
        slug=f"m{number}",
        name="M",
        backend="fake",
        location="fake",
        licence="MIT",
        native_width=128,
        native_height=128,
        state=state,
    )


def saved_model(state: str) -> RegisteredModel:
    saved = model(state)
    saved.save()
    return saved


def new_run(place: Collection) -> Run:
    template, _new = PromptTemplate.objects.get_or_create(
        slug="boat",
        defaults={"name": "Boat", "subject": "a {subject}", "width": 128, "height": 128},
    )
    if template.model is None:
        template.model = saved_model("allowed")
        template.save()
    return Run(title="Boat", template=template, collection=place)


RECIPE = Recipe(
    prompt="a boat",
    seed=1,
    width=64,
    height=64,
    steps=2,
    guidance=4.0,
    model=ModelFacts("sketch", "fake", ""),
    environment=Environment("fake", "1"),
)
BRIEF = Brief(variables={"subject": "boat"}, candidates=1)


def run_in(place: Collection, state: str = "queued", user: Any = None) -> Run:
    run = StartRun(new_run(place), None, brief=BRIEF).execute()
    Run.objects.filter(pk=run.pk).update(state=state, created_by=user)
    run.refresh_from_db()
    return run


def candidate_in(place: Collection, user: Any = None) -> Candidate:
    content = png()
    return Candidate.objects.create(
        run=run_in(place, RunState.SUCCEEDED, user),
        index=0,
        seed=1,
        sha256=blobs.store(content),
        width=64,
        height=48,
        byte_count=len(content),
        recipe={"prompt": "a boat"},
        recipe_sha256=hashlib.sha256(content).hexdigest(),
    )


def start_run(library: Library, place: Collection, user: Any) -> Action[Any, Any]:
    return StartRun(new_run(place), user, brief=BRIEF)


def cancel_run(library: Library, place: Collection, user: Any) -> Action[Any, Any]:
    return CancelRun(run_in(place), user)


def retry_run(library: Library, place: Collection, user: Any) -> Action[Any, Any]:
    return RetryRun(run_in(place, RunState.FAILED), user)


def ask_for_notice(library: Library, place: Collection, user: Any) -> Action[Any, Any]:
    return AskForNotice(run_in(place), user)


def retry_failed_steps(library: Library, place: Collection, user: Any) -> Action[Any, Any]:
    return RetryFailedSteps(run_in(place, RunState.FAILED), user)


def pause_run(library: Library, place: Collection, user: Any) -> Action[Any, Any]:
    return PauseRun(run_in(place), user)


def resume_run(library: Library, place: Collection, user: Any) -> Action[Any, Any]:
    return ResumeRun(run_in(place), user)


def move_run(library: Library, place: Collection, user: Any) -> Action[Any, Any]:
    return MoveRun(run_in(place), user, places=-1)


def set_priority(library: Library, place: Collection, user: Any) -> Action[Any, Any]:
    return SetPriority(run_in(place), user, priority=50)


def start_matrix(library: Library, place: Collection, user: Any) -> Action[Any, Any]:
    return StartMatrix(new_run(place), user, cells=[Cell("one", BRIEF), Cell("two", BRIEF)])


def replay(library: Library, place: Collection, user: Any) -> Action[Any, Any]:
    version = library.version(library.asset(collection=place), recipe=RECIPE.to_dict())
    return ReplayVersion(version, user)


def _personal_quota(user: Any) -> Quota:
    if user is None or user.pk is None:
        user = User.objects.create_user(f"somebody{next(_numbers)}")
    return Quota.objects.create(user=user, unit="runs", amount=1)


def request_more(library: Library, place: Collection, user: Any) -> Action[Any, Any]:
    return RequestMore(_personal_quota(user), user, amount=5, reason="Christmas")


def decide_request(library: Library, place: Collection, user: Any) -> Action[Any, Any]:
    request = RequestMore(_personal_quota(None), None, amount=5).execute()
    return DecideRequest(request, user, grant=True)


def set_quota(library: Library, place: Collection, user: Any) -> Action[Any, Any]:
    return SetQuota(Quota(unit="runs", amount=7), user)


def remove_quota(library: Library, place: Collection, user: Any) -> Action[Any, Any]:
    return RemoveQuota(_personal_quota(None), user)


def prefer_notice(library: Library, place: Collection, user: Any) -> Action[Any, Any]:
    who = user
    if who is None or who.pk is None:
        who = User.objects.create_user(f"somebody{next(_numbers)}")
    return SetNoticePreference(NoticePreference(user=who, email=True), user)


def accept_candidate(library: Library, place: Collection, user: Any) -> Action[Any, Any]:
    return AcceptCandidate(candidate_in(place), user)


def reject_candidate(library: Library, place: Collection, user: Any) -> Action[Any, Any]:
    return RejectCandidate(candidate_in(place), user, reason="artefact")


def start_graph(library: Library, place: Collection, user: Any) -> Action[Any, Any]:
    definition = {
        "schema": 1,
        "nodes": {"ask": {"kind": "prompt-policy", "params": {"prompt": "x"}, "inputs": {}}},
    }
    return StartGraph(Run(title="x", collection=place), user, definition=definition)


def pin_candidate(library: Library, place: Collection, user: Any) -> Action[Any, Any]:
    return PinCandidate(candidate_in(place), user, on=True)


def star_candidate(library: Library, place: Collection, user: Any) -> Action[Any, Any]:
    who = user
    if who is None or who.pk is None:
        who = User.objects.create_user(f"somebody{next(_numbers)}")
    return StarCandidate(Star(candidate=candidate_in(place), user=who), user, on=True)


def register_model(library: Library, place: Collection, user: Any) -> Action[Any, Any]:
    return RegisterModel(model(), user)


def import_model(library: Library, place: Collection, user: Any) -> Action[Any, Any]:
    return ImportModel(Run(), user, entry=Entry("someone/objects"))


def promote_model(library: Library, place: Collection, user: Any) -> Action[Any, Any]:
    return PromoteModel(saved_model("registered"), user)


def retire_model(library: Library, place: Collection, user: Any) -> Action[Any, Any]:
    return RetireModel(saved_model("allowed"), user)


def engine() -> Engine:
    return Engine(
        name=f"engine-{next(_numbers)}", kind="comfyui", address="http://127.0.0.1:8188"
    )


def saved_engine() -> Engine:
    return CreateEngine(engine(), None).execute()


def create_engine(library: Library, place: Collection, user: Any) -> Action[Any, Any]:
    return CreateEngine(engine(), user)


def change_engine(library: Library, place: Collection, user: Any) -> Action[Any, Any]:
    return ChangeEngine(saved_engine(), user, values={"per_minute": 3})


def replace_key(library: Library, place: Collection, user: Any) -> Action[Any, Any]:
    return ReplaceKey(saved_engine(), user, key="")


def switch_engine(library: Library, place: Collection, user: Any) -> Action[Any, Any]:
    return SwitchEngine(saved_engine(), user, on=False)
