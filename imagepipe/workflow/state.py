"""How the state of a run changes: legal transitions only, one conditional UPDATE each."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from imagepipe.events.bus import RunEnded, emit
from imagepipe.exceptions import InvalidState, LeaseLost
from imagepipe.workflow.clock import database_now
from imagepipe.workflow.models import FINISHED, RUN_TRANSITIONS, Run, RunState

__all__ = ["FINISHED", "advance", "sources"]


LONG = ("graph", "request")
REFRESHED = [
    field.attname for field in Run._meta.concrete_fields if field.name not in LONG
]
"""All but what is long and stays as it was asked for."""


def sources(target: RunState) -> frozenset[RunState]:
    """Return the states from which ``target`` may be reached."""
    return frozenset(state for state, targets in RUN_TRANSITIONS.items() if target in targets)


def advance(run: Run, target: RunState, *, owner: str | None = None, **values: Any) -> None:
    """Move a run to ``target``, with further column values, in one conditional UPDATE.

    With ``owner``, only while that worker holds the lease, else ``LeaseLost``. Raises
    ``InvalidState`` when the run is in a state that does not lead there. ``run`` is
    refreshed, or has the values that it was given.
    """
    rows = Run.objects.filter(pk=run.pk, state__in=sources(target))
    if owner is not None:
        rows = rows.filter(lease_owner=owner)
    if target is not RunState.RUNNING:
        values |= {"lease_owner": "", "lease_until": None}
    if target in FINISHED:
        values |= {"finished_at": database_now()}
    else:
        values |= {"finished_at": None}
    changed = rows.update(state=target, **values)
    plain = not any(hasattr(value, "resolve_expression") for value in values.values())
    if changed and owner is not None and plain:
        # The worker's own row: nobody else writes what is looked at after the end.
        for name, value in (values | {"state": target}).items():
            setattr(run, name, value)
    else:
        run.refresh_from_db(fields=REFRESHED)
    if changed:
        if target in FINISHED:
            emit(RunEnded(run.uid.hex))
        return
    if owner is not None and run.lease_owner != owner:
        raise LeaseLost(_("Another worker has taken over the run."))
    raise InvalidState(
        _("The run is “%(state)s” and cannot become “%(target)s”.")
        % {"state": run.get_state_display(), "target": target.label}
    )
