"""What a picture still needs before it can be published, and where that is done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext as _

from imagepipe.assets.models import Asset, AssetVersion
from imagepipe.conf import get_settings
from imagepipe.delivery.requirements import missing_requirements


@dataclass(frozen=True, slots=True)
class Step:
    """``url`` is empty for those who may not do it."""

    code: str
    done: bool
    text: str
    url: str = ""


def checklist(asset: Asset, verbs: Mapping[str, bool]) -> list[Step]:
    """Everything publication asks for: what is done and what is missing."""
    missing = missing_requirements(asset)
    rights = reverse("imagepipe_admin:asset_rights", args=[asset.uid])
    alt = reverse("imagepipe_admin:asset_alt", args=[asset.uid])
    done = {
        "rights": _("Licence and rights holder are recorded."),
        "alt": _("It is decorative and needs no alternative text.")
        if asset.decorative
        else _("There is an alternative text in the site's main language."),
    }
    links = {
        "rights": rights if verbs["license"] else "",
        "consent": rights if verbs["license"] else "",
        "runtime": rights if verbs["license"] else "",
        "alt": alt if verbs["change"] else "",
        "alt-stale": alt if verbs["change"] else "",
    }
    steps = [_approval(asset)] if get_settings().APPROVAL != "off" else []
    for code in dict.fromkeys((*done, *missing)):
        text = missing.get(code) or done[code]
        steps.append(Step(code, code not in missing, text, links.get(code, "")))
    return steps


def _approval(asset: Asset) -> Step:
    states = AssetVersion.State
    approved = asset.versions.exclude(state__in=[states.DRAFT, states.REJECTED]).exists()
    text = _("A version is approved.") if approved else _("Approve a version.")
    return Step("approval", approved, text, "" if approved else "#versions-section")
