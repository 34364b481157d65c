"""Another model for when the engine of the first one is down, rests, or is over its limit.

``IMAGEPIPE["FALLBACKS"]`` names it by slug: ``{"house-style": "pocket-objects"}``. A picture
that another model made says so in its warnings and its recipe.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import replace

from imagepipe.conf import get_settings
from imagepipe.registry.kinds import Kind
from imagepipe.registry.models import RegisteredModel
from imagepipe.workflow import breakers
from imagepipe.workflow.models import Run, RunState
from imagepipe.workflow.queue_models import EngineHealth
from imagepipe.workflow.scheduling import Waiting


def find(slug: str) -> RegisteredModel | None:
    """Return the model that may take the place of another; on another engine, and allowed."""
    name = get_settings().FALLBACKS.get(slug)
    if not name or name == slug:
        return None
    return RegisteredModel.objects.filter(
        slug=name, kind=Kind.CHECKPOINT.value, state=RegisteredModel.State.ALLOWED
    ).first()


def divert(waiting: Iterable[Waiting], resting: frozenset[str]) -> list[Waiting]:
    """Let runs whose engine rests be chosen for the engine of their fallback."""
    found = []
    for run in waiting:
        spare = find(run.model) if run.backend in resting else None
        if spare is not None and spare.backend not in resting:
            run = replace(run, backend=spare.backend, model=spare.slug)
        found.append(run)
    return found


def reason_against(engine: str, run: Run, now: dt.datetime) -> str:
    """Why a run must not use its engine now; empty when it may."""
    if EngineHealth.objects.filter(name=engine, open_until__gt=now).exists():
        return "it rests after failures"
    limits = breakers.limits().get(engine, {})
    started = run.started_at or now
    others = Run.objects.filter(model__backend=engine, started_at__lt=started)
    others = others.exclude(pk=run.pk)
    concurrent, per_minute = limits.get("concurrent"), limits.get("per_minute")
    if concurrent and others.filter(state=RunState.RUNNING).count() >= concurrent:
        return "it has as much to do as it may"
    recent = others.filter(started_at__gt=started - dt.timedelta(minutes=1))
    if per_minute and recent.count() >= per_minute:
        return "it has as much to do as it may"
    return ""
