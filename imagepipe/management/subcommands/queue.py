"""The queue on the command line: what waits, and everything that its page can do."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any

from django.core.management.base import CommandError, OutputWrapper
from django.utils import timezone
from django.utils.translation import gettext as _

from imagepipe.management.subcommands._tables import show

help = "Shows the queue, its failed runs and workers; pauses, moves, cancels, tries again."

VERBS = ("list", "failed", "workers", "pause", "resume", "priority", "move", "cancel", "retry")
COLUMNS = {
    "list": ("run", "state", "priority", "start", "basis", "by", "title"),
    "failed": ("run", "code", "class", "attempts", "title", "error"),
    "workers": ("worker", "state", "run", "models", "memory", "silent"),
}


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("verb", choices=VERBS, metavar="VERB", help=", ".join(VERBS))
    parser.add_argument(
        "run", nargs="*", metavar="RUN", help="identifiers of runs; their first 8 digits do"
    )
    parser.add_argument(
        "--to", type=int, metavar="NUMBER", help="priority (−100 to 100), or places to move"
    )
    parser.add_argument("--new", action="store_true", help="retry as a new run, from the start")
    parser.add_argument("--all-failed", action="store_true", help="retry all failed runs")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")


def handle(options: dict[str, Any], stdout: OutputWrapper, stderr: OutputWrapper) -> None:
    verb = options["verb"]
    if verb in COLUMNS:
        rows = {"list": _waiting, "failed": _failed, "workers": _workers}[verb]()
        show(rows, COLUMNS[verb], as_json=options["json"], stdout=stdout)
        return
    make = _maker(options)
    runs = _chosen(options)
    refused = 0
    for run in runs:
        refused += not _do(make, run, stdout, stderr)
    if refused:
        raise CommandError(_("%(count)d runs were left as they were.") % {"count": refused})


def _do(make: Callable[[Any], Any], run: Any, stdout: Any, stderr: Any) -> bool:
    from imagepipe.exceptions import ImagepipeError

    try:
        outcome = make(run).execute()
    except ImagepipeError as error:
        stderr.write(f"{run.uid.hex[:8]}  {run.title}: {error}")
        return False
    stdout.write(f"{outcome.uid.hex[:8]}  {outcome.get_state_display()}  {outcome.title}")
    return True


def _maker(options: dict[str, Any]) -> Callable[[Any], Any]:
    from imagepipe.workflow.actions import CancelRun, RetryRun
    from imagepipe.workflow.queue_actions import (
        MoveRun,
        PauseRun,
        ResumeRun,
        RetryFailedSteps,
        SetPriority,
    )

    verb, number = options["verb"], options["to"]
    if verb in ("priority", "move"):
        if number is None:
            raise CommandError(_("Say with --to which priority, or by how many places."))
        if verb == "priority":
            return lambda run: SetPriority(run, None, priority=number)
        return lambda run: MoveRun(run, None, places=number)
    kinds = {"pause": PauseRun, "resume": ResumeRun, "cancel": CancelRun}
    kinds["retry"] = RetryRun if options["new"] else RetryFailedSteps
    return lambda run: kinds[verb](run, None)


def _chosen(options: dict[str, Any]) -> list[Any]:
    from imagepipe.workflow.models import Run, RunState

    if options["all_failed"] and options["verb"] == "retry":
        return list(Run.objects.filter(state=RunState.FAILED, retries=None).order_by("pk"))
    if not options["run"]:
        raise CommandError(_("Name the runs; “imagepipe queue list” shows them."))
    return [find_run(text) for text in dict.fromkeys(options["run"])]


def find_run(text: str) -> Any:
    """Return the run that an identifier, or its first 8 digits or more, names."""
    from imagepipe.workflow.models import Run

    digits = text.replace("-", "").lower()
    if len(digits) < 8 or set(digits) - set("0123456789abcdef"):
        raise CommandError(_("“%(text)s” is not the identifier of a run.") % {"text": text})
    if len(digits) == 32:
        found = list(Run.objects.filter(uid=digits))
    else:
        low, high = digits.ljust(32, "0"), digits.ljust(32, "f")
        found = list(Run.objects.filter(uid__gte=low, uid__lte=high)[:2])
    if len(found) != 1:
        sentence = _("There is no run %(text)s.") if not found else _("%(text)s names several.")
        raise CommandError(sentence % {"text": text})
    return found[0]


def _waiting() -> list[dict[str, Any]]:
    from imagepipe.workflow.forecasts import outlook
    from imagepipe.workflow.models import Run, RunState
    from imagepipe.workflow.queue_actions import turn

    found = (
        Run.objects.filter(state__in=(RunState.QUEUED, RunState.RUNNING))
        .select_related("created_by")
        .defer("graph")
        .order_by("-state", "-priority", "created_at")[:500]
    )
    runs = sorted(found, key=lambda run: (-run.priority, turn(run)))
    now = timezone.now()
    forecasts = outlook(runs, now).forecasts
    rows = []
    for run in runs:
        forecast = forecasts.get(run.pk)
        start = forecast.start if forecast and not run.paused else None
        rows.append(
            {
                "run": run.uid.hex[:8],
                "state": "paused" if run.paused else run.state,
                "priority": run.priority,
                "start": None if start is None else round((start - now).total_seconds()),
                "basis": str(forecast.expectation.basis) if forecast else None,
                "by": run.created_by.get_username() if run.created_by else None,
                "title": run.title,
            }
        )
    return sorted(rows, key=_turn)


def _turn(row: dict[str, Any]) -> tuple[bool, bool, int]:
    return row["state"] != "running", row["start"] is None, row["start"] or 0


def _failed() -> list[dict[str, Any]]:
    from imagepipe.workflow.models import Run, RunState

    runs = Run.objects.filter(state=RunState.FAILED, retries=None).defer("graph")
    return [
        {
            "run": run.uid.hex[:8],
            "code": run.error_code,
            "class": run.error_class,
            "attempts": run.attempt,
            "title": run.title,
            "error": run.error,
        }
        for run in runs.order_by("-finished_at")[:500]
    ]


def _workers() -> list[dict[str, Any]]:
    from imagepipe.workflow.queue_models import QueueWorker

    now = timezone.now()
    return [
        {
            "worker": worker.name,
            "state": worker.state,
            "run": worker.run.uid.hex[:8] if worker.run else None,
            "models": worker.models_loaded,
            "memory": worker.memory_bytes,
            "silent": round((now - worker.seen_at).total_seconds()),
        }
        for worker in QueueWorker.objects.select_related("run").defer("run__graph")
    ]
