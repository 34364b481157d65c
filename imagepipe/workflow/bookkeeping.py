"""What a worker writes down of its run: steps, progress, and with each of them its lease.

Every write is fenced by the lease, and answers with what people have asked for meanwhile, so
that nothing has to be asked beside it. PostgreSQL is a network away: there a write is one
statement. It does not wait for the disk either: a server that crashes may forget the last
moments of a run, in order, and the worker, or the next one, does those steps again. The end
of a run waits for the disk.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext as _

from imagepipe.exceptions import LeaseLost
from imagepipe.workflow import leases
from imagepipe.workflow.models import Run, StepRun

COLUMNS = (
    "kind", "state", "progress", "attempt", "input_hash", "source", "output", "error",
    "started_at", "finished_at",
)  # fmt: skip
"""Of a step, beside its run and node."""
ONE_STATEMENT = """
WITH held AS (
    UPDATE imagepipe_run
    SET lease_until = %s, progress = coalesce(%s, progress), message = coalesce(%s, message)
    WHERE id = %s AND state = 'running' AND lease_owner = %s
    RETURNING id, cancel_requested, paused
), written AS (
    INSERT INTO imagepipe_steprun (
        run_id, node, kind, state, progress, attempt, input_hash, source, output, error,
        started_at, finished_at
    )
    SELECT held.id, step.node, step.kind, step.state, step.progress, step.attempt,
        step.input_hash, step.source, step.output, step.error, step.started_at,
        step.finished_at
    FROM held, jsonb_to_recordset(%s::jsonb) AS step (
        node text, kind text, state text, progress float8, attempt int2, input_hash text,
        source text, output jsonb, error text, started_at timestamptz,
        finished_at timestamptz, begins bool
    )
    WHERE NOT (step.begins AND (held.cancel_requested OR held.paused))
    ON CONFLICT (run_id, node) DO UPDATE SET
        kind = excluded.kind, state = excluded.state, progress = excluded.progress,
        attempt = excluded.attempt, input_hash = excluded.input_hash,
        source = excluded.source, output = excluded.output, error = excluded.error,
        started_at = excluded.started_at, finished_at = excluded.finished_at
)
SELECT cancel_requested, paused,
    CASE WHEN %s THEN set_config('synchronous_commit', 'off', true) END
FROM held
"""
"""For PostgreSQL. The setting ends with the statement, which is a transaction of its own."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What people have asked for since the run was taken."""

    cancel: bool = False
    pause: bool = False


NONE = Wishes()


def write(
    run_pk: int,
    owner: str,
    steps: Sequence[StepRun] = (),
    *,
    begins: StepRun | None = None,
    progress: float | None = None,
    message: str | None = None,
) -> Wishes:
    """Write steps, new or changed, and hold the lease for another term.

    ``progress`` (0 to 1) and ``message`` are the run's; None: as before. The step that
    ``begins`` is written only if nobody wishes the run to end or to rest. Raises
    ``LeaseLost``, with nothing written, when another worker has the run.
    """
    if connection.vendor == "postgresql":
        rows = [_plain(step) for step in steps]
        rows += [] if begins is None else [_plain(begins) | {"begins": True}]
        return _in_one_statement(run_pk, owner, rows, progress, message)
    values = {"progress": progress, "message": message}
    with transaction.atomic():
        leases.renew(run_pk, owner, **{k: v for k, v in values.items() if v is not None})
        row = Run.objects.filter(pk=run_pk).values_list("cancel_requested", "paused").get()
        wishes = Wishes(*row)
        held_up = begins is None or wishes.cancel or wishes.pause
        # Without their keys, so that new and known ones go into one statement.
        new = [
            StepRun(run_id=run_pk, **_plain(step))
            for step in (*steps, *(() if held_up else (begins,)))
        ]
        if new:
            StepRun.objects.bulk_create(
                new,
                update_conflicts=True,
                unique_fields=["run", "node"],
                update_fields=COLUMNS,
            )
    return wishes


def _in_one_statement(
    run_pk: int,
    owner: str,
    rows: list[dict[str, Any]],
    progress: float | None,
    message: str | None,
) -> Wishes:
    steps = json.dumps([{"begins": False} | row for row in rows], default=str)
    hurries = not connection.in_atomic_block
    with connection.cursor() as cursor:
        cursor.execute(
            ONE_STATEMENT,
            [leases.term_end(), progress, message, run_pk, owner, steps, hurries],
        )
        row = cursor.fetchone()
    if row is None:
        raise LeaseLost(_("Another worker has taken over the run."))
    return Wishes(cancel=row[0], pause=row[1])


def _plain(step: StepRun) -> dict[str, Any]:
    return {name: getattr(step, name) for name in ("node", *COLUMNS)}
