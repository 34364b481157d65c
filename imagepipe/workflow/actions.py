"""Starting, cancelling and repeating runs; decisions about candidates come along."""

from __future__ import annotations

from django.contrib.auth.models import AbstractBaseUser
from django.db import IntegrityError
from django.utils.translation import gettext as _
from wagtail.permissions import policy_registry

from imagepipe.actions.base import Action
from imagepipe.exceptions import InvalidState
from imagepipe.workflow import jobs, production, state
from imagepipe.workflow.brief_profiles import chosen_model, find_profile, with_profile
from imagepipe.workflow.briefs import Brief, make_plan
from imagepipe.workflow.candidate_actions import AcceptCandidate as AcceptCandidate
from imagepipe.workflow.candidate_actions import RejectCandidate as RejectCandidate
from imagepipe.workflow.enqueue import queue_run
from imagepipe.workflow.exceptions import QueueRefused
from imagepipe.workflow.guides import keep_guides
from imagepipe.workflow.model_choice import usable_model
from imagepipe.workflow.models import Run, RunState
from imagepipe.workflow.steps.registry import check_types


class StartRun(Action[Run, Run]):
    """Queue an unsaved run: ``title``, ``collection`` and ``template`` or ``model`` are set.

    Pictures that the brief names must be the person's to see.

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
        if not super().user_has_permission() or not (
            source is None
            or policy_registry.get(source.run).user_has_any_permission_for_instance(
                self.user, ["view", "generate"], source.run
            )
        ):
            return False
        brief = self.brief or (Brief.from_dict(source.run.request) if source else Brief())
        return all(picture.may_be_used(self.user) for picture in brief.pictures())

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
        run.model = chosen_model(brief, run.template, run.model)
        said = with_profile(brief, find_profile(brief.profile))
        run.request = said.to_dict() | {
            "prompt_used": plan.prompt,
            "seeds": list(plan.seeds),
            "graph": plan.graph,
            "pictures": brief.kept(),
            "source_type": plan.source_type,
        }
        queue_run(run, self.user)
        keep_guides(run, brief)
        self.audit_data = {
            "graph": run.graph_sha256,
            "model": plan.model["slug"],
            "candidates": len(plan.seeds),
            "variation_of": run.variation_of.uid.hex if run.variation_of else None,
            "mode": plan.mode,
            "source": plan.source,
            "style": brief.style.style if brief.style else None,
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
        wanted = origin.request | {"seed": None, "seed_policy": "random", "profile": None}
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
            "site", "replay_of",
        )  # fmt: skip
        run = Run(retry_of=old, **{name: getattr(old, name) for name in copied})
        queue_run(run, self.user)
        self.audit_data = {"new_run": run.uid.hex}
        return run
