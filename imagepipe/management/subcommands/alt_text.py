"""Which pictures lack alternative texts, and suggestions for them."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import IO, Any

from imagepipe.exceptions import ImagepipeError

help = "Counts pictures without good alternative texts, or has some suggested for them."


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("what", choices=["status", "suggest"])
    parser.add_argument(
        "--language",
        action="append",
        metavar="CODE",
        help="only this language; several times possible (default: all of the site)",
    )
    parser.add_argument("--collection", help="name of a collection, with those below it")
    parser.add_argument("--limit", type=int, metavar="NUMBER", help="at most so many pictures")
    parser.add_argument("--dry-run", action="store_true", help="only say what would be done")
    parser.add_argument("--now", action="store_true", help="work in this process, no queue")


def handle(options: dict[str, Any], stdout: IO[str], stderr: IO[str]) -> None:
    """Suggestions are for pictures whose text is missing or outdated; nothing is published
    unless the settings say so."""
    from imagepipe.assets.models import Asset
    from imagepipe.management.subcommands._collections import within
    from imagepipe.seo.alt_text import bulk, worklist
    from imagepipe.views.step_rows import in_words
    from imagepipe.workflow import runner
    from imagepipe.workflow.forecasts import expected_of

    known = worklist.site_languages()
    languages = list(dict.fromkeys(options["language"] or known))
    if unknown := [code for code in languages if code not in known]:
        raise ImagepipeError(f"Not a language of the site: {', '.join(unknown)}.")
    assets = Asset.objects.all()
    if options["collection"]:
        assets = within(assets, options["collection"])
    if options["what"] == "status":
        for reason, count in worklist.counts(assets, languages).items():
            stdout.write(f"{reason}: {count}\n")
        return
    needed = worklist.needs_suggestion(assets, languages)
    if options["limit"] is not None:
        needed = needed[: max(0, options["limit"])]
    run = bulk.prepare(needed, languages)
    seconds = expected_of(run).seconds
    time = "not known yet" if seconds is None else in_words(seconds)
    stdout.write(f"{run.request['items']} pictures, {', '.join(languages)}; time: {time}\n")
    if options["dry_run"]:
        return
    run = bulk.StartSuggestions(run, None).execute()
    stdout.write(f"{run.uid.hex} {run.title}\n")
    if options["now"]:
        runner.work_on(run.uid.hex)
        run.refresh_from_db()
        stdout.write(f"{run.get_state_display()}\n")
