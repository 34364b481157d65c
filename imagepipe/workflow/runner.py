"""Executes a claimed run, step by step.

Finished steps are never repeated, whoever takes the run up again; a failure ends the run
with a stable code and a sentence for people, the stack trace goes to the log only.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from imagepipe.exceptions import ImagepipeError, InvalidState, LeaseLost
from imagepipe.workflow import blobs, leases, state
from imagepipe.workflow.context import Lease, StepContext
from imagepipe.workflow.exceptions import (
    InvalidGraph,
    LostWork,
    RunCancelled,
    WorkerStopping,
)
from imagepipe.workflow.graph import Graph, Node
from imagepipe.workflow.heartbeat import Heartbeat
from imagepipe.workflow.models import Run, RunState, StepRun
from imagepipe.workflow.steps import registry

logger = logging.getLogger("imagepipe.workflow")


def work_on(uid: str, *, heartbeat: bool = True) -> bool:
    """Look at a run: claim and execute it if it waits; returns whether there was work.

    This is all that a message of a task engine asks for, so a duplicate is harmless.
    """
    owner = leases.new_owner()
    run = leases.claim(owner, uid)
    if run is not None:
        execute(run, owner, heartbeat=heartbeat)
    return run is not None


def execute(
    run: Run,
    owner: str,
    *,
    stop: Callable[[], bool] = lambda: False,
    heartbeat: bool = True,
) -> RunState:
    """Work on a claimed run until it is finished, released or lost; returns its state.

    ``heartbeat`` renews the lease from a second database connection; switch it off where
    the caller's own transaction hides the run from others. What is written down on the way
    is English, whatever language is active; readers are shown it in theirs.
    """
    with translation.override(None):
        return _execute(run, owner, stop, heartbeat)


def _execute(run: Run, owner: str, stop: Callable[[], bool], heartbeat: bool) -> RunState:
    beating = Heartbeat(run.pk, owner) if heartbeat else contextlib.nullcontext()
    try:
        with beating:
            _Execution(run, Lease(run, owner, stop)).go()
        state.advance(
            run,
            RunState.SUCCEEDED,
            owner=owner,
            progress=1,
            message="",
            error="",
            error_code="",
        )
    except (LeaseLost, InvalidState):
        logger.warning("run lost", extra={"run": run.uid.hex})
        run.refresh_from_db()
    except WorkerStopping:
        _give_back(run, owner)
    except RunCancelled as error:
        _end(run, owner, RunState.CANCELLED, error.code, "")
    except ImagepipeError as error:
        logger.warning(
            "run failed", extra={"run": run.uid.hex, "code": getattr(error, "code", "")}
        )
        _fail(run, owner, error)
    except Exception:
        logger.exception("run crashed", extra={"run": run.uid.hex})
        message = _("Something unexpected happened; the log has the details under %(uid)s.")
        _end(run, owner, RunState.FAILED, "internal-error", message % {"uid": run.uid.hex})
    return RunState(run.state)


@dataclass
class _Execution:
    run: Run
    lease: Lease
    outputs: dict[str, dict[str, Any]] = field(default_factory=dict)

    def go(self) -> None:
        graph = Graph.from_dict(self.run.graph)
        if graph.sha256 != self.run.graph_sha256:
            raise InvalidGraph(_("The graph of this run was changed after it was started."))
        hashes = graph.input_hashes()
        weights = {node.id: registry.get(node.kind).weight for node in graph.order}
        total, done = sum(weights.values()), 0.0
        for node in graph.order:
            self.lease.check()
            weight = weights[node.id] / total
            self.outputs[node.id] = self._output(node, hashes[node.id], done, weight)
            done += weight

    def _output(
        self, node: Node, input_hash: str, done: float, weight: float
    ) -> dict[str, Any]:
        kind = registry.get(node.kind)
        step, _created = StepRun.objects.get_or_create(
            run=self.run, node=node.id, defaults={"kind": node.kind}
        )
        if step.state == RunState.SUCCEEDED and _is_whole(kind, step.output):
            return step.output
        reused = _find_reusable(kind, input_hash, step)
        if reused is not None:
            self._finish(step, reused, input_hash)
            return reused
        self._begin(step, input_hash)
        context = StepContext(
            run=self.run,
            node=node,
            inputs={name: self.outputs[reference] for name, reference in node.inputs},
            lease=self.lease,
            step=step,
            before=done,
            weight=weight,
        )
        try:
            output = kind.run(context)
        except (LeaseLost, WorkerStopping):
            raise
        except RunCancelled:
            self._mark(step, RunState.CANCELLED, "")
            raise
        except ImagepipeError as error:
            self._mark(step, RunState.FAILED, str(error))
            raise
        except Exception:
            self._mark(step, RunState.FAILED, _("Something unexpected happened."))
            raise
        self._finish(step, output, input_hash)
        return output

    def _begin(self, step: StepRun, input_hash: str) -> None:
        StepRun.objects.filter(pk=step.pk).update(
            state=RunState.RUNNING,
            progress=0,
            input_hash=input_hash,
            attempt=F("attempt") + 1,
            started_at=timezone.now(),
            error="",
        )

    def _finish(self, step: StepRun, output: dict[str, Any], input_hash: str) -> None:
        # Fenced by the lease: a worker that was given up must not overwrite its successor.
        with transaction.atomic():
            leases.renew(self.run.pk, self.lease.owner)
            StepRun.objects.filter(pk=step.pk).update(
                state=RunState.SUCCEEDED,
                progress=1,
                output=output,
                input_hash=input_hash,
                finished_at=timezone.now(),
            )

    def _mark(self, step: StepRun, target: RunState, error: str) -> None:
        if leases.is_held(self.run.pk, self.lease.owner):
            StepRun.objects.filter(pk=step.pk).update(
                state=target, error=error, finished_at=timezone.now()
            )


def _find_reusable(
    kind: registry.Step, input_hash: str, step: StepRun
) -> dict[str, Any] | None:
    if not kind.reusable:
        return None
    finished = StepRun.objects.filter(
        input_hash=input_hash, kind=kind.kind, state=RunState.SUCCEEDED
    ).exclude(pk=step.pk)
    for other in finished.order_by("-pk")[:3]:
        if _is_whole(kind, other.output):
            return other.output
    return None


def _is_whole(kind: registry.Step, output: dict[str, Any] | None) -> bool:
    """Whether all bytes that the output names are still there and undamaged."""
    if output is None:
        return False
    try:
        for key in kind.blobs:
            blobs.read(output[key])
    except (LostWork, KeyError):
        return False
    return True


def _give_back(run: Run, owner: str) -> None:
    try:
        leases.release(run, owner)
    except (LeaseLost, InvalidState):
        logger.warning("run lost while stopping", extra={"run": run.uid.hex})


def _fail(run: Run, owner: str, error: ImagepipeError) -> None:
    code = getattr(error, "code", "failed")
    if getattr(error, "retryable", False) and run.attempt < _max_attempts():
        try:
            state.advance(run, RunState.QUEUED, owner=owner, message=str(error)[:255])
        except (LeaseLost, InvalidState):
            run.refresh_from_db()
        return
    _end(run, owner, RunState.FAILED, code, str(error))


def _max_attempts() -> int:
    from imagepipe.conf import get_settings

    return get_settings().MAX_ATTEMPTS


def _end(run: Run, owner: str, target: RunState, code: str, message: str) -> None:
    try:
        state.advance(run, target, owner=owner, error_code=code, error=message, message="")
    except (LeaseLost, InvalidState):
        run.refresh_from_db()
