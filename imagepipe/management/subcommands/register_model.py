from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import OutputWrapper
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _

from imagepipe.registry import entries
from imagepipe.registry.actions import InvalidModelEntry, PromoteModel, RegisterModel
from imagepipe.registry.hub import source_of
from imagepipe.registry.kinds import Kind
from imagepipe.registry.models import RegisteredModel

help = "Registers a model of any kind, from a folder or a hub (safetensors only)."


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("source", help="folder of one model, or OWNER/NAME on a hub")
    parser.add_argument(
        "--kind",
        type=Kind,
        choices=list(Kind),
        metavar="KIND",
        help=f"{', '.join(Kind)} (default: as the files say)",
    )
    parser.add_argument("--name", help="as people see it (default: name of the folder)")
    parser.add_argument("--slug", help="short name in addresses (default: from the name)")
    parser.add_argument(
        "--licence",
        help="for example CreativeML-OpenRAIL-M (a hub's model: default as its card says)",
    )
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
    parser.add_argument(
        "--revision", default="", help="branch, tag or commit on the hub (default: main)"
    )
    parser.add_argument(
        "--variant", default="", help="of the weights on the hub, such as fp16"
    )
    parser.add_argument("--allow", action="store_true", help="allow it for production at once")


def handle(options: dict[str, Any], stdout: OutputWrapper, stderr: OutputWrapper) -> None:
    entry = entries.Entry(
        source=options["source"],
        kind=options["kind"] or "",
        name=options["name"] or "",
        slug=options["slug"] or "",
        licence=options["licence"] or "",
        licence_url=options["licence_url"],
        backend=options["backend"] or "",
        family=options["family"] or "",
        card=_card(options["card"]) if options["card"] else "",
        size=options["size"] or 0,
        revision=options["revision"],
        variant=options["variant"],
        parameters=_parameters(options["parameters"]) if options["parameters"] else {},
    )
    if not (entry.licence or entry.is_on_hub):
        raise InvalidModelEntry(_("Say the licence with --licence."))
    found = entries.read(entry, _Progress(stderr))
    known = entries.existing(found.model)
    model = known or RegisterModel(found.model, None).execute()
    if options["allow"] and model.state != RegisteredModel.State.ALLOWED:
        PromoteModel(model, None).execute()
    stdout.write(
        _("%(name)s (%(facts)s): %(state)s")
        % {
            "name": model.slug,
            "facts": ", ".join(_facts(model, found.byte_count)),
            "state": model.get_state_display(),
        }
    )
    if source := source_of(model.location):
        stdout.write(_("from %(source)s, licence %(licence)s")
                     % {"source": source, "licence": model.licence})  # fmt: skip
    stdout.write(f"sha256 {model.sha256}")


class _Progress:
    """Says every tenth of a download that takes a while."""

    def __init__(self, stderr: OutputWrapper) -> None:
        self._stderr = stderr
        self._said = 0

    def __call__(self, there: int, total: int) -> None:
        tenths = 10 * there // max(1, total)
        if tenths > self._said:
            self._said = tenths
            self._stderr.write(f"{tenths * 10} % ({filesizeformat(total)})")


def _parameters(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            content = json.loads(file.read(entries.MAX_CARD_BYTES + 1)[:entries.MAX_CARD_BYTES])
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
            content = file.read(entries.MAX_CARD_BYTES + 1)
        text = content.decode("utf-8")
    except (OSError, ValueError):
        text = "\0"
    if "\0" in text or len(content) > entries.MAX_CARD_BYTES:
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
