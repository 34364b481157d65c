"""From a folder, or a hub's id, to a model that can be registered; for command and form."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.utils.text import slugify
from django.utils.translation import gettext as _

from imagepipe.registry import hub
from imagepipe.registry.actions import InvalidModelEntry
from imagepipe.registry.description import describe
from imagepipe.registry.kinds import Kind
from imagepipe.registry.models import RegisteredModel

MAX_CARD_BYTES = 1024 * 1024
OF_TRANSFORMERS = {Kind.CLIP, Kind.CAPTIONER}


@dataclass(frozen=True, slots=True)
class Entry:
    """What a person says about a model. Empty means: as the files, or the hub's card, say.

    ``source``: a folder, or ``owner/name`` on a hub. ``size``: side in pixels.
    """

    source: str
    kind: str = ""
    name: str = ""
    slug: str = ""
    licence: str = ""
    licence_url: str = ""
    backend: str = ""
    family: str = ""
    card: str = ""
    size: int = 0
    revision: str = ""
    variant: str = ""
    parameters: dict[str, Any] = field(default_factory=dict)
    """Its own, such as ``threshold`` of a CLIP."""

    @property
    def is_on_hub(self) -> bool:
        return hub.is_hub_id(self.source) and not Path(self.source).is_dir()


@dataclass(frozen=True, slots=True)
class Described:
    """An unsaved model, and how many bytes its folder has."""

    model: RegisteredModel
    byte_count: int


def read(entry: Entry, report: hub.Reporter | None = None) -> Described:
    """Return the unsaved model; from a hub it is fetched first.

    Raises ``UnusableFolder``, :class:`imagepipe.registry.hub.HubRefused` and
    :class:`InvalidModelEntry`.
    """
    if not entry.is_on_hub:
        return _from_folder(entry, Path(entry.source).expanduser().resolve())
    found = hub.look_up(entry.source, entry.revision, entry.variant)
    licence = entry.licence or found.licence
    if not licence:
        raise InvalidModelEntry(
            _("The card of “%(id)s” names no licence. Read its terms and say it yourself.")
            % {"id": found.id}
        )
    known = {
        "licence": licence,
        "licence_url": entry.licence_url or found.licence_url,
        "card": entry.card or found.card,
        "name": entry.name or found.id.rpartition("/")[2],
    }
    return _from_folder(entry, hub.fetch(found, report), **known)


def existing(model: RegisteredModel) -> RegisteredModel | None:
    """Return what is registered already under the same name, with the same files and kind."""
    same = {"slug": model.slug, "sha256": model.sha256, "kind": model.kind}
    return RegisteredModel.objects.filter(**same).first()


def _from_folder(entry: Entry, folder: Path, **known: str) -> Described:
    facts = describe(folder, Kind(entry.kind) if entry.kind else None)
    backend = "transformers" if facts.kind in OF_TRANSFORMERS else "diffusers"
    name = known.get("name") or entry.name or folder.name
    side = entry.size or facts.native_side or 512
    model = RegisteredModel(
        slug=entry.slug or slugify(name)[:80],
        name=name,
        kind=facts.kind.value,
        backend=entry.backend or backend,
        family=entry.family or facts.family,
        location=str(folder),
        sha256=facts.sha256,
        licence=known.get("licence") or entry.licence,
        licence_url=known.get("licence_url") or entry.licence_url,
        card=known.get("card") or entry.card,
        native_width=side,
        native_height=side,
        defaults=entry.parameters,
    )
    return Described(model, facts.byte_count)
