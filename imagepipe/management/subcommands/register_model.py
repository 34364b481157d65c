from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import OutputWrapper
from django.utils.text import slugify
from django.utils.translation import gettext as _

from imagepipe.registry.actions import PromoteModel, RegisterModel
from imagepipe.registry.folders import describe
from imagepipe.registry.models import RegisteredModel

help = "Registers a model folder in the diffusers layout (safetensors only)."


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, help="folder with model_index.json")
    parser.add_argument("--name", help="as people see it (default: name of the folder)")
    parser.add_argument("--slug", help="short name in addresses (default: from the name)")
    parser.add_argument("--licence", required=True, help="for example CreativeML-OpenRAIL-M")
    parser.add_argument("--licence-url", default="", help="where the licence can be read")
    parser.add_argument("--backend", default="diffusers", help="engine (default: diffusers)")
    parser.add_argument("--card", type=Path, help="text file with the model card")
    parser.add_argument(
        "--size",
        type=int,
        metavar="PIXELS",
        help="side the model was made for, if not in its files",
    )
    parser.add_argument("--allow", action="store_true", help="allow it for production at once")


def handle(options: dict[str, Any], stdout: OutputWrapper, stderr: OutputWrapper) -> None:
    folder = options["folder"].expanduser().resolve()
    facts = describe(folder)
    name = options["name"] or folder.name
    model = RegisteredModel(
        slug=options["slug"] or slugify(name)[:80],
        name=name,
        backend=options["backend"],
        family=facts.family,
        location=str(folder),
        sha256=facts.sha256,
        licence=options["licence"],
        licence_url=options["licence_url"],
        card=options["card"].read_text("utf-8") if options["card"] else "",
        native_width=options["size"] or facts.native_width or 512,
        native_height=options["size"] or facts.native_height or 512,
    )
    existing = RegisteredModel.objects.filter(slug=model.slug, sha256=model.sha256).first()
    model = existing or RegisterModel(model, None).execute()
    if options["allow"] and model.state != RegisteredModel.State.ALLOWED:
        PromoteModel(model, None).execute()
    stdout.write(
        _("%(name)s (%(family)s, %(width)d×%(height)d, %(megabytes).1f MB): %(state)s")
        % {
            "name": model.slug,
            "family": facts.family,
            "width": model.native_width,
            "height": model.native_height,
            "megabytes": facts.byte_count / 1e6,
            "state": model.get_state_display(),
        }
    )
    stdout.write(f"sha256 {model.sha256}")
