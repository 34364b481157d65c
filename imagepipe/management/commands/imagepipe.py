"""``manage.py imagepipe <sub-command>``.

Each module in :mod:`imagepipe.management.subcommands` is one sub-command, with ``help``,
``add_arguments(parser)`` and ``handle(options, stdout, stderr)``; an underscore in the
module's name is a hyphen on the command line.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.management.base import BaseCommand, CommandError, CommandParser

from imagepipe.exceptions import ImagepipeError
from imagepipe.management import subcommands


class Command(BaseCommand):
    help = "Administers imagepipe: models, workers, the library and its delivery."

    def add_arguments(self, parser: CommandParser) -> None:
        parsers = parser.add_subparsers(dest="subcommand", metavar="COMMAND", required=True)
        for name, module in find_subcommands().items():
            sub = parsers.add_parser(name, help=module.help, description=module.help)
            module.add_arguments(sub)

    def handle(self, *args: Any, **options: Any) -> None:
        module = find_subcommands()[options["subcommand"]]
        try:
            module.handle(options, self.stdout, self.stderr)
        except (ImagepipeError, PermissionDenied) as error:
            raise CommandError(str(error)) from error


def find_subcommands() -> dict[str, Any]:
    """Return the modules of all sub-commands by their name on the command line."""
    names = sorted(module.name for module in pkgutil.iter_modules(subcommands.__path__))
    return {
        name.replace("_", "-"): importlib.import_module(f"{subcommands.__name__}.{name}")
        for name in names
        if not name.startswith("_")
    }
