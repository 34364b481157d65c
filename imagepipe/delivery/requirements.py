"""What must be there before a version may be published."""

from __future__ import annotations

from django.utils import timezone
from django.utils.translation import gettext as _

from imagepipe.assets.models import Asset, AssetVersion
from imagepipe.assets.staleness import outdated
from imagepipe.conf import get_settings
from imagepipe.delivery.alternatives import default_codes
from imagepipe.delivery.documents import rights_of
from imagepipe.exceptions import MissingRequirement
from imagepipe.rights.models import RightsRecord


def missing_requirements(
    asset: Asset, version: AssetVersion | None = None, *, decorative: bool = False
) -> dict[str, str]:
    """Stable code → sentence for people: ``rights``, ``consent``, ``runtime``, ``alt``.

    Also ``alt-stale``, where the settings ask for texts that are about ``version`` (None:
    about the version that is shown). A ``decorative`` use needs no words.
    """
    missing: dict[str, str] = {}
    rights = rights_of(asset)
    if rights is None or not (rights.licence and rights.rights_holder):
        missing["rights"] = _("Record licence and rights holder.")
    if rights is not None:
        if rights.persons == RightsRecord.Persons.MISSING:
            missing["consent"] = _("Consent of the persons in the picture is missing.")
        if rights.valid_until is not None and rights.valid_until <= timezone.now():
            missing["runtime"] = _("The rights have ended.")
    if not (decorative or asset.decorative):
        missing |= _missing_texts(asset, version)
    return missing


def _missing_texts(asset: Asset, version: AssetVersion | None) -> dict[str, str]:
    texts = asset.alt_texts()
    written = [code for code in default_codes() if texts.get(code, "").strip()]
    if not written:
        return {"alt": _("Write an alternative text in the site's main language.")}
    if get_settings().ALT_TEXT_STALE == "blocks" and written[0] in outdated(asset, version):
        return {
            "alt-stale": _(
                "The alternative text was written for another version: look at it, and save "
                "it again if it still fits."
            )
        }
    return {}


def require_publishable(asset: Asset, version: AssetVersion | None = None) -> None:
    """Raise MissingRequirement that names everything absent."""
    if missing := missing_requirements(asset, version):
        raise MissingRequirement(" ".join(missing.values()), tuple(missing))
