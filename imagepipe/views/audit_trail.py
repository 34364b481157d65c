"""What was done with a picture, by whom, in words."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from imagepipe.assets.models import Asset, AssetVersion
from imagepipe.audit import trail
from imagepipe.audit.models import AuditEvent
from imagepipe.review.models import Review
from imagepipe.rights.models import RightsRecord

LABELS = {
    "imagepipe.ingest": _("New version"),
    "imagepipe.retitle": _("Title or collection changed"),
    "imagepipe.set_alt_text": _("Alternative texts changed"),
    "imagepipe.set_crop": _("Crop set"),
    "imagepipe.remove_crop": _("Crop removed"),
    "imagepipe.restore_crop": _("Earlier crop restored"),
    "imagepipe.mark_decorative": _("Decorative or not"),
    "imagepipe.alt_suggest": _("Alternative texts suggested"),
    "imagepipe.alt_take": _("Suggestion taken"),
    "imagepipe.alt_dismiss": _("Suggestion dismissed"),
    "imagepipe.set_rights": _("Rights changed"),
    "imagepipe.approve": _("Approved"),
    "imagepipe.reject": _("Rejected"),
    "imagepipe.publish": _("Published"),
    "imagepipe.withdraw": _("Withdrawn"),
    "imagepipe.replay": _("Replayed"),
    "imagepipe.set_iiif": _("Opened or closed to viewers"),
}
FACTS = {
    "version": _("Version"),
    "origin": _("Origin"),
    "replaces": _("Replaces version"),
    "decorative": _("Decorative"),
    "reason": _("Reason"),
    "note": _("Note"),
    "title": _("Title"),
    "collection_id": _("Collection"),
    "texts": _("Texts"),
    "crop": _("Crop"),
    "open": _("Open"),
    "closed": _("Closed"),
    "region": _("Part of the picture"),
    "before": _("Before"),
    "generated": _("Generated, seen by nobody"),
    "language": _("Language"),
    "languages": _("Languages"),
    "captioner": _("Suggested by"),
    "captioners": _("Suggested by"),
    "suggested": _("Suggestion"),
    "changed": _("Changed before it was taken"),
    "licence": _("Licence"),
    "rights_holder": _("Rights holder"),
    "credit": _("Credit line"),
    "licence_url": _("Address of the licence"),
    "acquire_url": _("Address where a licence can be acquired"),
    "persons": _("Persons in the picture"),
    "following": _("May be a style for other pictures"),
    "markets": _("Markets"),
    "channels": _("Channels"),
    "valid_from": _("Valid from"),
    "valid_until": _("Valid until"),
    "fallback": _("Shown afterwards"),
}
CODES = {
    "origin": dict(AssetVersion.Origin.choices),
    "reason": dict(Review.Reason.choices),
    "persons": dict(RightsRecord.Persons.choices),
    "following": dict(RightsRecord.Following.choices),
}
LONGEST = 120


@dataclass(frozen=True)
class AuditRow:
    """One event of the chain."""

    at: dt.datetime
    by: str
    label: str
    facts: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class AuditReport:
    """The events, the latest first; ``broken_at`` is the first link that does not fit."""

    rows: tuple[AuditRow, ...]
    broken_at: int | None


def audit_rows(asset: Asset) -> AuditReport:
    """The chain of the asset with the answer whether it is whole."""
    chain = asset.uid.hex
    events = AuditEvent.objects.filter(chain=chain).order_by("-sequence")
    return AuditReport(tuple(map(_row, events)), trail.verify_chain(chain))


def _row(event: AuditEvent) -> AuditRow:
    return AuditRow(
        at=event.at,
        by=_actor(event),
        label=str(LABELS.get(event.action, event.action)),
        facts=_facts(event.data),
    )


def _actor(event: AuditEvent) -> str:
    is_system = event.actor_id is None and event.actor_name == trail.SYSTEM
    return str(_("the system")) if is_system else event.actor_name


def _facts(data: Any) -> tuple[tuple[str, str], ...]:
    """Pairs fit for a line; hashes and what is empty are left out."""
    if not isinstance(data, Mapping):
        return ()
    return tuple(
        (str(FACTS.get(key) or key.replace("_", " ")), _short(_in_words(key, value)))
        for key, value in data.items()
        if value not in (None, "", [], {}, False) and "sha256" not in str(key)
    )


def _in_words(key: str, value: Any) -> Any:
    if value is True:
        return str(_("yes"))
    return str(CODES.get(key, {}).get(value, value)) if isinstance(value, str) else value


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
