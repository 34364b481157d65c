from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import OutputWrapper
from django.template.defaultfilters import filesizeformat
from django.utils.text import slugify
from django.utils.translation import gettext as _

from imagepipe.registry.actions import InvalidModelEntry, PromoteModel, RegisterModel
from imagepipe.registry.description import describe
from imagepipe.registry.kinds import Kind
from imagepipe.registry.models import RegisteredModel

MAX_CARD_BYTES = 1024 * 1024
OF_TRANSFORMERS = {Kind.CLIP, Kind.CAPTIONER}
help = "Registers a model folder of any kind (safetensors only)."


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, help="folder of one model")
    parser.add_argument(
        "--kind",
        type=Kind,
        choices=list(Kind),
        metavar="KIND",
        help=f"{', '.join(Kind)} (default: as the files say)",
    )
    parser.add_argument("--name", help="as people see it (default: name of the folder)")
    parser.add_argument("--slug", help="short name in addresses (default: from the name)")
    parser.add_argument("--licence", required=True, help="for example CreativeML-OpenRAIL-M")
    parser.add_argument("--licence-url", default="", help="where the licence can be read")
    parser.add_argument(
        "--backend", help="engine (default: diffusers; transformers for clip and captioner)"
    )
    parser.add_argument("--family", help="of models that it fits, if not in its files")
    parser.add_argument("--card", type=Path, help="text file with the model card")
    parser.add_argument(
        "--size",
        type=int,
        metavar="PIXELS",
        help="side the model was made for, if not in its files",
    )
    parser.add_argument(
        "--parameters", type=Path, metavar="FILE", help="JSON with the model's own parameters"
    )
    parser.add_argument("--allow", action="store_true", help="allow it for production at once")


def handle(options: dict[str, Any], stdout: OutputWrapper, stderr: OutputWrapper) -> None:
    folder = options["folder"].expanduser().resolve()
    facts = describe(folder, options["kind"])
    backend = "transformers" if facts.kind in OF_TRANSFORMERS else "diffusers"
    name = options["name"] or folder.name
    model = RegisteredModel(
        slug=options["slug"] or slugify(name)[:80],
        name=name,
        kind=facts.kind.value,
        backend=options["backend"] or backend,
        family=options["family"] or facts.family,
        location=str(folder),
        sha256=facts.sha256,
        licence=options["licence"],
        licence_url=options["licence_url"],
        card=_card(options["card"]) if options["card"] else "",
        defaults=_parameters(options["parameters"]) if options["parameters"] else {},
        native_width=options["size"] or facts.native_side or 512,
        native_height=options["size"] or facts.native_side or 512,
    )
    same = {"slug": model.slug, "sha256": model.sha256, "kind": model.kind}
    existing = RegisteredModel.objects.filter(**same).first()
    model = existing or RegisterModel(model, None).execute()
    if options["allow"] and model.state != RegisteredModel.State.ALLOWED:
        PromoteModel(model, None).execute()
    stdout.write(
        _("%(name)s (%(facts)s): %(state)s")
        % {
            "name": model.slug,
            "facts": ", ".join(_facts(model, facts.byte_count)),
            "state": model.get_state_display(),
        }
    )
    stdout.write(f"sha256 {model.sha256}")


def _parameters(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            content = json.loads(file.read(MAX_CARD_BYTES + 1)[:MAX_CARD_BYTES])
    except (OSError, ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise InvalidModelEntry(
            _("The parameters “%(name)s” are no JSON object of at most 1 MiB.")
            % {"name": path.name}
        )
    return content


def _card(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_CARD_BYTES + 1)
        text = content.decode("utf-8")
    except (OSError, ValueError):
        text = "\0"
    if "\0" in text or len(content) > MAX_CARD_BYTES:
        raise InvalidModelEntry(
            _("The model card “%(name)s” is no text file of at most 1 MiB.")
            % {"name": path.name}
        )
    return text


def _facts(model: RegisteredModel, byte_count: int) -> Iterator[str]:
    yield str(model.get_kind_display())
    if model.family:
        yield model.family
    if model.kind == Kind.CHECKPOINT:
        yield f"{model.native_width}×{model.native_height}"
    yield filesizeformat(byte_count).replace("\xa0", " ")
