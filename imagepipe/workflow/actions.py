"""Starting, cancelling and repeating runs; accepting and rejecting what they offer."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import IntegrityError, models
from django.utils.text import slugify
from django.utils.translation import gettext as _
from wagtail.permissions import policy_registry

from imagepipe.actions.base import Action
from imagepipe.assets import masters
from imagepipe.assets.actions import IngestVersion
from imagepipe.assets.inspection import inspect_picture
from imagepipe.assets.models import Asset, AssetVersion
from imagepipe.conf import get_settings
from imagepipe.credentials import SourceType
from imagepipe.exceptions import InvalidState
from imagepipe.review.actions import ApproveVersion
from imagepipe.review.models import Review
from imagepipe.workflow import blobs, jobs, production, state
from imagepipe.workflow.briefs import Brief, make_plan, usable_model
from imagepipe.workflow.enqueue import queue_run
from imagepipe.workflow.exceptions import QueueRefused
from imagepipe.workflow.models import Candidate, Run, RunState
from imagepipe.workflow.origins import parents_of
from imagepipe.workflow.steps.registry import check_types


class StartRun(Action[Run, Run]):
    """Queue an unsaved run: ``title``, ``collection`` and ``template`` or ``model`` are set.

    With ``run.variation_of`` and no brief the same is asked for again with new seeds ("more
    like this"). With ``run.idempotency_key`` a second call by the same person returns the run
    of the first. Raises ``PromptError``, ``InvalidBrief`` and ``QueueRefused`` with what to do.
    """

    action_name = "imagepipe.run.start"
    permission_policy_action = "generate"

    def __init__(
        self, run: Run, user: AbstractBaseUser | None, *, brief: Brief | None = None
    ) -> None:
        super().__init__(run, user)
        self.brief = brief

    def user_has_permission(self) -> bool:
        """Who asks for more like a picture has to have rights where that picture is."""
        source = self.instance.variation_of
        return super().user_has_permission() and (
            source is None
            or policy_registry.get(source.run).user_has_any_permission_for_instance(
                self.user, ["view", "generate"], source.run
            )
        )

    def execute(self, skip_permission_checks: bool = False) -> Run:
        self.check(skip_permission_checks)
        if (earlier := self._earlier()) is not None:
            return earlier
        try:
            return super().execute(skip_permission_checks=True)
        except (IntegrityError, QueueRefused):
            # Asked twice at the same moment: the other one was first, and may have taken the
            # last place in the queue or the rest of a quota.
            if (earlier := self._earlier()) is not None:
                return earlier
            raise

    def _earlier(self) -> Run | None:
        key = self.instance.idempotency_key
        if not key:
            return None
        by = self.user.pk if self.user else None
        return Run.objects.filter(created_by=by, idempotency_key=key).first()

    def perform(self) -> Run:
        run = self.instance
        if run.pk is not None:
            raise InvalidState(_("The run was started already."))
        brief = self._complete()
        run.title = run.title.strip()[:255] or _("Untitled")
        plan = make_plan(brief, title=run.title, template=run.template, model=run.model)
        graph = production.build(plan)
        check_types(graph)
        run.graph, run.graph_sha256 = graph.to_dict(), graph.sha256
        run.model = run.model or (run.template.model if run.template else None)
        run.request = brief.to_dict() | {"prompt_used": plan.prompt, "seeds": list(plan.seeds)}
        queue_run(run, self.user)
        self.audit_data = {
            "graph": run.graph_sha256,
            "model": plan.model["slug"],
            "candidates": len(plan.seeds),
            "variation_of": run.variation_of.uid.hex if run.variation_of else None,
        }
        return run

    def _complete(self) -> Brief:
        source = self.instance.variation_of
        if source is None or self.brief is not None:
            return self.brief or Brief()
        origin = source.run
        self.instance.template = self.instance.template or origin.template
        self.instance.model = self.instance.model or origin.model
        self.instance.title = self.instance.title or origin.title
        wanted = origin.request | {"seed": None, "seed_policy": "random"}
        # The words as they were then, even if the template has changed since.
        wanted |= {"prompt": source.recipe.get("prompt") or origin.request.get("prompt_used")}
        wanted |= {"negative": source.recipe.get("negative_prompt")}
        return Brief.from_dict(wanted)


class CancelRun(Action[Run, Run]):
    """Stop a run: at once while it waits, at the next computing step while it runs."""

    action_name = "imagepipe.run.cancel"
    permission_policy_action = "generate"

    def user_has_permission(self) -> bool:
        return jobs.is_own(self.instance, self.user) or super().user_has_permission()

    def perform(self) -> Run:
        run = self.instance
        if not Run.objects.filter(pk=run.pk, state=RunState.QUEUED).exists():
            asked = Run.objects.filter(pk=run.pk, state=RunState.RUNNING).update(
                cancel_requested=True
            )
            run.refresh_from_db()
            if asked:
                return run
        # Raises InvalidState for a finished run; a run claimed this instant is cancelled too.
        state.advance(run, RunState.CANCELLED, cancel_requested=True, message="")
        return run


class RetryRun(Action[Run, Run]):
    """Repeat a failed or cancelled run as a new one; finished work is taken over."""

    action_name = "imagepipe.run.retry"
    permission_policy_action = "generate"

    def perform(self) -> Run:
        old = self.instance
        old.refresh_from_db()
        if old.state not in (RunState.FAILED, RunState.CANCELLED):
            raise InvalidState(_("Only a failed or cancelled run can be repeated."))
        if not jobs.job_of(old):
            usable_model(old.model)
        copied = (
            "title", "graph", "graph_sha256", "request", "collection",
            "template", "model", "variation_of", "priority", "resource", "memory_bytes",
            "site",
        )  # fmt: skip
        run = Run(retry_of=old, **{name: getattr(old, name) for name in copied})
        queue_run(run, self.user)
        self.audit_data = {"new_run": run.uid.hex}
        return run


class AcceptCandidate(Action[Candidate, AssetVersion]):
    """Make an offered picture an asset with a first, approved version.

    Where four eyes are required, the one who started the run may not accept its pictures.
    """

    action_name = "imagepipe.candidate.accept"
    permission_policy_action = "review"

    def __init__(
        self,
        candidate: Candidate,
        user: AbstractBaseUser | None,
        *,
        title: str | None = None,
        note: str = "",
    ) -> None:
        super().__init__(candidate, user)
        self.title = title
        self.note = note
        self._content = b""
        self._facts: Any = None

    def permission_subject(self) -> models.Model:
        return self.instance.run

    def execute(self, skip_permission_checks: bool = False) -> AssetVersion:
        self.check(skip_permission_checks)
        if self._facts is None:
            self._prepare()
        return super().execute(skip_permission_checks=True)

    def prepare(self) -> None:
        """Read and store the pixels now, so that a transaction around ``execute`` is short.

        Raises ``PermissionDenied`` and what ``execute`` raises.
        """
        self.check()
        self._prepare()

    def _prepare(self) -> None:
        _require_open(self.instance)
        # Storing them twice is harmless.
        self._content = blobs.read(self.instance.sha256)
        settings = get_settings()
        self._facts = inspect_picture(
            self._content, max_bytes=settings.MAX_UPLOAD_BYTES, max_pixels=settings.MAX_PIXELS
        )
        masters.store(self._content)

    def perform(self) -> AssetVersion:
        candidate = Candidate.objects.select_for_update().get(pk=self.instance.pk)
        _require_open(candidate)
        run = candidate.run
        _require_other_eyes(run, self.user)
        title = (self.title or run.title).strip()[:255]
        version = IngestVersion(
            Asset(
                title=title,
                slug=slugify(title)[:80] or "picture",
                collection=run.collection,
                created_by=run.created_by,
            ),
            self.user,
            content=self._content,
            facts=self._facts,
            origin=AssetVersion.Origin.GENERATED,
            source_type=SourceType.TRAINED_ALGORITHMIC_MEDIA.value,
            recipe=candidate.recipe,
            recipe_sha256=candidate.recipe_sha256,
            parents=parents_of(run),
        ).execute(skip_permission_checks=True)
        ApproveVersion(version, self.user, note=self.note).execute(skip_permission_checks=True)
        candidate.state, candidate.version = Candidate.State.ACCEPTED, version
        candidate.save(update_fields=["state", "version"])
        self.instance.refresh_from_db()
        self.audit_data = {"asset": version.asset.uid.hex, "sha256": version.sha256}
        version.refresh_from_db()
        return version


class RejectCandidate(Action[Candidate, Review]):
    """Turn an offered picture down, with a reason; it stays private and is not published."""

    action_name = "imagepipe.candidate.reject"
    permission_policy_action = "review"

    def __init__(
        self,
        candidate: Candidate,
        user: AbstractBaseUser | None,
        *,
        reason: str,
        note: str = "",
    ) -> None:
        super().__init__(candidate, user)
        self.reason = reason
        self.note = note

    def permission_subject(self) -> models.Model:
        return self.instance.run

    def perform(self) -> Review:
        if self.reason not in Review.Reason.values:
            raise InvalidState(_("Choose a reason from the list."))
        candidate = Candidate.objects.select_for_update().get(pk=self.instance.pk)
        _require_open(candidate)
        candidate.state = Candidate.State.REJECTED
        candidate.save(update_fields=["state"])
        self.instance.refresh_from_db()
        self.audit_data = {"reason": self.reason, "note": self.note}
        return Review.objects.create(
            subject_uid=candidate.uid,
            decision=Review.Decision.REJECTED,
            reason=self.reason,
            note=self.note,
            reviewer=self.user,
        )


def _require_open(candidate: Candidate) -> None:
    if candidate.state != Candidate.State.OFFERED:
        raise InvalidState(
            _("This picture is “%(state)s” already.") % {"state": candidate.get_state_display()}
        )


def _require_other_eyes(run: Run, user: AbstractBaseUser | None) -> None:
    if get_settings().FOUR_EYES and user is not None and run.created_by_id == user.pk:
        raise InvalidState(
            _("Somebody else has to accept this picture: you asked for it yourself.")
        )
