"""Write the recipe of a picture in the form of another tool."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import IO, Any

from imagepipe.generation.interchange.writing import FORMS, exported
from imagepipe.management.versions import VERSION, find_version

help = "Writes a version's recipe as JSON, A1111 infotext or ComfyUI workflow."


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("version", help=VERSION)
    parser.add_argument(
        "--format", choices=sorted(FORMS), default="json", help="default: json"
    )


def handle(options: dict[str, Any], stdout: IO[str], stderr: IO[str]) -> None:
    from imagepipe.generation.recipe import Recipe

    recipe = Recipe.from_dict(find_version(options["version"]).recipe)
    stdout.write(exported(recipe, options["format"]).decode())
