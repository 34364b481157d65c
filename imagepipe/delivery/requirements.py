"""What must be there before a version may be published."""

from __future__ import annotations

from django.utils import timezone
from django.utils.translation import gettext as _

from imagepipe.assets.models import Asset
from imagepipe.delivery.alternatives import default_codes
from imagepipe.delivery.documents import rights_of
from imagepipe.exceptions import MissingRequirement
from imagepipe.rights.models import RightsRecord


def missing_requirements(asset: Asset, *, decorative: bool = False) -> dict[str, str]:
    """Stable code → sentence for people: ``rights``, ``consent``, ``runtime``, ``alt``."""
    missing: dict[str, str] = {}
    rights = rights_of(asset)
    if rights is None or not (rights.licence and rights.rights_holder):
        missing["rights"] = _("Record licence and rights holder.")
    if rights is not None:
        if rights.persons == RightsRecord.Persons.MISSING:
            missing["consent"] = _("Consent of the persons in the picture is missing.")
        if rights.valid_until is not None and rights.valid_until <= timezone.now():
            missing["runtime"] = _("The rights have ended.")
    texts = asset.alt_texts()
    if not decorative and not any(texts.get(code, "").strip() for code in default_codes()):
        missing["alt"] = _("Write an alternative text in the site's main language.")
    return missing


def require_publishable(asset: Asset, *, decorative: bool = False) -> None:
    """Raise MissingRequirement that names everything absent."""
    if missing := missing_requirements(asset, decorative=decorative):
        raise MissingRequirement(" ".join(missing.values()), tuple(missing))
