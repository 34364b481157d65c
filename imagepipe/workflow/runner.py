"""Executes a claimed run, step by step.

Finished steps are never repeated, whoever takes the run up again; a failure ends the run
with a stable code and a sentence for people, the stack trace goes to the log only.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any

from django.db import Error as DatabaseProblem
from django.db import IntegrityError, connection, transaction
from django.db.models import Q
from django.utils import translation
from django.utils.translation import gettext as _

from imagepipe.exceptions import ImagepipeError, InvalidState, LeaseLost
from imagepipe.generation.canonical import canonical_json
from imagepipe.workflow import blobs, endings, leases, presence, shares, state
from imagepipe.workflow.clock import database_now
from imagepipe.workflow.context import Lease, StepContext
from imagepipe.workflow.exceptions import (
    InvalidGraph,
    LostWork,
    RunCancelled,
    TurnEnded,
    WorkerStopping,
)
from imagepipe.workflow.graph import Graph, Node
from imagepipe.workflow.heartbeat import Heartbeat
from imagepipe.workflow.models import Run, RunState, StepRun
from imagepipe.workflow.presence import Presence
from imagepipe.workflow.scheduling import Offer
from imagepipe.workflow.steps import registry

logger = logging.getLogger("imagepipe.workflow")

SKIPPED: dict[str, Any] = {"skipped": True}
"""What a step that was not needed gives to those after it."""


def work_on(uid: str, *, heartbeat: bool = True) -> bool:
    """Claim and execute this run if it waits; returns whether there was work."""
    owner = leases.new_owner()
    run = leases.claim(owner, uid)
    if run is not None:
        execute(run, owner, heartbeat=heartbeat)
    return run is not None


def work_next(engine: str, *, stop: Callable[[], bool] = lambda: False) -> bool:
    """Claim and execute the run whose turn it is; returns whether there was work.

    This is all that a message of a task engine asks for: it says that there is work, the
    database says which. So duplicates, wrong order and nonsense in a message are harmless.
    """
    return work_once(presence.of_this_process(engine), stop)


def work_once(worker: Presence, stop: Callable[[], bool]) -> bool:
    """Claim and execute one run as this worker; returns whether there was work."""
    run = leases.claim(worker.name, offer=worker.offer)
    if run is None:
        return False
    logger.info("run claimed", extra={"run": run.uid.hex})
    worker.took(run)
    try:
        ended = execute(run, worker.name, stop=stop, offer=worker.offer)
        logger.info("run %s", ended, extra={"run": run.uid.hex})
    finally:
        worker.finished()
    return True


def execute(
    run: Run,
    owner: str,
    *,
    stop: Callable[[], bool] = lambda: False,
    heartbeat: bool = True,
    offer: Offer = leases.ANYTHING,
) -> RunState:
    """Work on a claimed run until it is finished, released or lost; returns its state.

    ``heartbeat`` renews the lease from a second database connection; switch it off where
    the caller's own transaction hides the run from others. What is written down on the way
    is English, whatever language is active; readers are shown it in theirs.
    """
    with translation.override(None):
        lease = Lease(run, owner, stop, offer)
        ended = _execute(run, lease, heartbeat)
    with contextlib.suppress(DatabaseProblem):
        shares.settle(run, database_now())
    return ended


def _execute(run: Run, lease: Lease, heartbeat: bool) -> RunState:
    owner = lease.owner
    beating = Heartbeat(run.pk, owner) if heartbeat else nullcontext()
    try:
        with beating:
            _Execution(run, lease).go()
        state.advance(
            run,
            RunState.SUCCEEDED,
            owner=owner,
            progress=1,
            message="",
            error="",
            error_code="",
            error_class="",
        )
        endings.tell_engine(run, None)
    except (LeaseLost, InvalidState):
        logger.warning("run lost", extra={"run": run.uid.hex})
        run.refresh_from_db()
    except (WorkerStopping, TurnEnded):
        endings.give_back(run, owner)
    except RunCancelled as error:
        endings.end(run, owner, RunState.CANCELLED, error_code=error.code, error="")
    except Exception as error:  # noqa: BLE001 - the boundary: whatever it is ends the run
        endings.fail(run, owner, error)
    return RunState(run.state)


@dataclass
class _Execution:
    run: Run
    lease: Lease
    outputs: dict[str, dict[str, Any]] = field(default_factory=dict)
    steps: dict[str, StepRun] = field(default_factory=dict)
    """Those that were begun by now, by node."""
    begun: bool = False
    """Whether this worker has begun a step."""

    def go(self) -> None:
        graph = Graph.from_dict(self.run.graph)
        if graph.sha256 != self.run.graph_sha256:
            raise InvalidGraph(_("The graph of this run was changed after it was started."))
        kinds = {node.id: registry.get(node.kind) for node in graph.order}
        hashes = graph.input_hashes({kind.kind: kind.version for kind in kinds.values()})
        weights = {id: kind.weight for id, kind in kinds.items()}
        self.steps = {step.node: step for step in self.run.steps.all()}
        total, done = sum(weights.values()), 0.0
        for node in graph.order:
            self.lease.check_between_steps(begun=self.begun)
            weight = weights[node.id] / total
            self.outputs[node.id] = self._output(node, hashes[node.id], done, weight)
            done += weight

    def _output(
        self, node: Node, input_hash: str, done: float, weight: float
    ) -> dict[str, Any]:
        kind = registry.get(node.kind)
        step = self.steps.get(node.id) or StepRun(run=self.run, node=node.id, kind=node.kind)
        if step.state == RunState.SUCCEEDED and step.source == StepRun.Source.SKIPPED:
            return SKIPPED
        if step.state == RunState.SUCCEEDED and _is_whole(kind, step.output):
            return step.output
        if self._is_skipped(node):
            self._finish(step, SKIPPED, input_hash, StepRun.Source.SKIPPED)
            return SKIPPED
        reused = _find_reusable(kind, input_hash, step)
        if reused is not None:
            self._finish(step, reused, input_hash, StepRun.Source.REUSED)
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
        except (LeaseLost, WorkerStopping, DatabaseProblem):
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

    def _is_skipped(self, node: Node) -> bool:
        """Whether its gate is closed, or what it needs was skipped itself."""
        given = {name: self.outputs[reference] for name, reference in node.inputs}
        skipped = [output is SKIPPED for output in given.values()]
        if all(skipped) and skipped or any(skipped) and not registry.get(node.kind).joins:
            return True
        if node.when is None:
            return False
        name, key, value = node.when
        return canonical_json(given[name].get(key)).decode() != value

    def _begin(self, step: StepRun, input_hash: str) -> None:
        self.begun = True
        step.state, step.progress, step.input_hash = RunState.RUNNING, 0, input_hash
        step.attempt, step.started_at, step.error = step.attempt + 1, database_now(), ""
        self._save(
            step, "state", "progress", "input_hash", "attempt", "started_at", "error"
        )

    def _finish(
        self,
        step: StepRun,
        output: dict[str, Any],
        input_hash: str,
        source: str = StepRun.Source.COMPUTED,
    ) -> None:
        step.state, step.progress, step.input_hash = RunState.SUCCEEDED, 1, input_hash
        step.output, step.source, step.finished_at = output, source, database_now()
        # Fenced by the lease: a worker that was given up must not overwrite its successor.
        with transaction.atomic():
            leases.renew(self.run.pk, self.lease.owner)
            self._save(
                step, "state", "progress", "input_hash", "output", "source", "finished_at"
            )

    def _save(self, step: StepRun, *columns: str) -> None:
        """Write the columns in one statement, into a new row if the step has none."""
        if step.pk is None:
            try:
                with transaction.atomic() if connection.in_atomic_block else nullcontext():
                    step.save(force_insert=True)
                return
            except IntegrityError:
                # A worker that was given up has begun the step at the same moment.
                other = StepRun.objects.only("pk").get(run=self.run, node=step.node)
                step.pk = other.pk
        values = {column: getattr(step, column) for column in columns}
        StepRun.objects.filter(pk=step.pk).update(**values)

    def _mark(self, step: StepRun, target: RunState, error: str) -> None:
        if leases.is_held(self.run.pk, self.lease.owner):
            StepRun.objects.filter(pk=step.pk).update(
                state=target, error=error, finished_at=database_now()
            )


def _find_reusable(
    kind: registry.Step, input_hash: str, step: StepRun
) -> dict[str, Any] | None:
    if not kind.reusable:
        return None
    finished = StepRun.objects.filter(
        input_hash=input_hash, kind=kind.kind, state=RunState.SUCCEEDED
    ).exclude(Q(pk=step.pk) | Q(source=StepRun.Source.SKIPPED))
    for other in finished.order_by("-pk")[:3]:
        if _is_whole(kind, other.output) and "fallback" not in (other.output or {}):
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
