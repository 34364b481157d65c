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
from django.utils import translation
from django.utils.translation import gettext as _

from imagepipe.exceptions import ImagepipeError, InvalidState, LeaseLost
from imagepipe.generation.canonical import canonical_json
from imagepipe.workflow import endings, leases, presence, shares, state
from imagepipe.workflow.clock import database_now
from imagepipe.workflow.context import Lease, StepContext
from imagepipe.workflow.exceptions import (
    InvalidGraph,
    RunCancelled,
    TurnEnded,
    WorkerStopping,
)
from imagepipe.workflow.graph import Graph, Node
from imagepipe.workflow.heartbeat import Heartbeat
from imagepipe.workflow.models import Run, RunState, StepRun
from imagepipe.workflow.presence import Presence
from imagepipe.workflow.reuse import Reusable, is_whole
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
        return _execute(run, lease, heartbeat)


def _execute(run: Run, lease: Lease, heartbeat: bool) -> RunState:
    owner = lease.owner
    beating = Heartbeat(run.pk, owner) if heartbeat else nullcontext()
    try:
        with beating:
            execution = _Execution(run, lease)
            execution.go()
        _succeed(execution)
    except (LeaseLost, InvalidState):
        logger.warning("run lost", extra={"run": run.uid.hex})
        run.refresh_from_db()
    except (WorkerStopping, TurnEnded):
        endings.give_back(run, owner)
    except RunCancelled as error:
        endings.end(run, owner, RunState.CANCELLED, error_code=error.code, error="")
    except Exception as error:  # noqa: BLE001 - the boundary: whatever it is ends the run
        endings.fail(run, owner, error)
    with contextlib.suppress(DatabaseProblem):
        shares.settle(run, database_now())
    return RunState(run.state)


def _succeed(execution: _Execution) -> None:
    """Write the last steps, then end the run; who is killed between does no harm."""
    execution.flush()
    state.advance(
        execution.run,
        RunState.SUCCEEDED,
        owner=execution.lease.owner,
        progress=1,
        message="",
        error="",
        error_code="",
        error_class="",
    )
    fell_back = any("fallback" in output for output in execution.outputs.values())
    endings.tell_engine(execution.run, None, fell_back=fell_back)


@dataclass
class _Execution:
    run: Run
    lease: Lease
    outputs: dict[str, dict[str, Any]] = field(default_factory=dict)
    steps: dict[str, StepRun] = field(default_factory=dict)
    """Those that were begun by now, by node."""
    begun: bool = False
    """Whether this worker has begun a step."""
    unwritten: list[StepRun] = field(default_factory=list)
    """Finished steps, to be written when the next one begins or the run ends."""
    found: Reusable = field(default_factory=lambda: Reusable(()))

    def go(self) -> None:
        """Do what is left; the last steps are still to be written then."""
        graph = Graph.from_dict(self.run.graph)
        if graph.sha256 != self.run.graph_sha256:
            raise InvalidGraph(_("The graph of this run was changed after it was started."))
        kinds = {node.id: registry.get(node.kind) for node in graph.order}
        hashes = graph.input_hashes({kind.kind: kind.version for kind in kinds.values()})
        weights = {id: kind.weight for id, kind in kinds.items()}
        self.steps = {step.node: step for step in self.run.steps.all()}
        self.found = Reusable({hashes[id] for id, kind in kinds.items() if kind.reusable})
        total, done = sum(weights.values()), 0.0
        try:
            for node in graph.order:
                weight = weights[node.id] / total
                self.outputs[node.id] = self._output(node, hashes[node.id], done, weight)
                done += weight
        except Exception:
            with contextlib.suppress(LeaseLost, DatabaseProblem):
                self.flush()
            raise

    def _output(
        self, node: Node, input_hash: str, done: float, weight: float
    ) -> dict[str, Any]:
        kind = registry.get(node.kind)
        step = self.steps.get(node.id) or StepRun(run=self.run, node=node.id, kind=node.kind)
        if step.state == RunState.SUCCEEDED and step.source == StepRun.Source.SKIPPED:
            return SKIPPED
        if step.state == RunState.SUCCEEDED and is_whole(kind, step.output):
            return step.output
        if self._is_skipped(node):
            self._finish(step, SKIPPED, input_hash, StepRun.Source.SKIPPED)
            return SKIPPED
        if kind.reusable and (outputs := self.found.outputs(kind, input_hash)):
            # Looking at stored bytes takes time, in which nothing finished may be lost.
            self.flush()
            self.lease.check()
            reused = next((output for output in outputs if is_whole(kind, output)), None)
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
        self.lease.check_between_steps(begun=self.begun)
        step.state, step.progress, step.input_hash = RunState.RUNNING, 0, input_hash
        step.attempt, step.started_at, step.error = step.attempt + 1, database_now(), ""
        finished, self.unwritten = self.unwritten, []
        self.lease.write(finished, begins=step)
        self.begun = True

    def _finish(
        self,
        step: StepRun,
        output: dict[str, Any],
        input_hash: str,
        source: str = StepRun.Source.COMPUTED,
    ) -> None:
        step.state, step.progress, step.input_hash = RunState.SUCCEEDED, 1, input_hash
        step.output, step.source, step.finished_at = output, source, database_now()
        self.unwritten.append(step)
        self.found.add(step)

    def flush(self) -> None:
        """Write what is finished, without waiting for the next step."""
        if self.unwritten:
            finished, self.unwritten = self.unwritten, []
            self.lease.write(finished)

    def _mark(self, step: StepRun, target: RunState, error: str) -> None:
        step.state, step.error, step.finished_at = target, error, database_now()
        with contextlib.suppress(LeaseLost):
            self.lease.write([step])
