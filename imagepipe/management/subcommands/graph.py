"""Graphs as JSON: that of a run, whether a definition is sound, and a run of it."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, OutputWrapper
from django.utils.translation import gettext as _

help = "Prints the graph of a run, checks a definition of a graph, starts a run of one."

MOST = 1024 * 1024
"""Bytes of a file; definitions are shorter, see docs/reference/runs.md."""


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("verb", choices=("show", "check", "start"), metavar="VERB")
    parser.add_argument(
        "what", metavar="RUN|FILE", help="show: a run; check, start: a JSON file, or - "
    )
    parser.add_argument("--title", default="", help="start: name of the run")
    parser.add_argument("--priority", type=int, default=0, help="start: −100 to 100")
    parser.add_argument("--collection", help="start: its name; the root without it")


def handle(options: dict[str, Any], stdout: OutputWrapper, stderr: OutputWrapper) -> None:
    from imagepipe.management.subcommands.queue import find_run
    from imagepipe.workflow import graph_actions

    if options["verb"] == "show":
        run = find_run(options["what"])
        stdout.write(json.dumps(run.graph, ensure_ascii=False, indent=2))
        return
    definition = _read(options["what"])
    if options["verb"] == "check":
        graph = graph_actions.read(definition)
        for node in graph.order:
            needs = ", ".join(sorted({reference for _name, reference in node.inputs}))
            stdout.write(f"{node.id}  {node.kind}" + (f"  ← {needs}" if needs else ""))
        stdout.write(_("%(count)d steps.") % {"count": len(graph.nodes)})
        return
    run = _start(definition, options)
    stdout.write(f"{run.uid.hex[:8]}  {run.get_state_display()}  {run.title}")


def _start(definition: Any, options: dict[str, Any]) -> Any:
    from wagtail.models import Collection

    from imagepipe.workflow.graph_actions import StartGraph
    from imagepipe.workflow.models import Run

    title = options["title"] or Path(options["what"]).stem
    run = Run(title=title, priority=options["priority"])
    if name := options["collection"]:
        found = list(Collection.objects.filter(name=name)[:2])
        if len(found) != 1:
            sentence = _("There is no collection “%(name)s”, or there are several.")
            raise CommandError(sentence % {"name": name})
        run.collection = found[0]
    return StartGraph(run, None, definition=definition).execute()


def _read(name: str) -> Any:
    try:
        with sys.stdin if name == "-" else open(name, encoding="utf-8") as file:
            text = file.read(MOST + 1)
        if len(text) > MOST:
            raise CommandError(_("The file is too large for a definition."))
        return json.loads(text)
    except (OSError, ValueError, RecursionError) as error:
        sentence = _("“%(name)s” cannot be read: %(reason)s")
        raise CommandError(sentence % {"name": name, "reason": error}) from error
