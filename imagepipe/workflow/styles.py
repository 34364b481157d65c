"""Which pictures may be a style, and how a style goes into a run: as a picture or in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.utils import timezone
from django.utils.translation import gettext as _
from wagtail.permissions import policy_registry

from imagepipe.assets.models import Asset, AssetVersion
from imagepipe.generation.capabilities import Capabilities
from imagepipe.registry.kinds import Kind
from imagepipe.registry.models import RegisteredModel
from imagepipe.rights.models import RightsRecord
from imagepipe.workflow.conditions import companions, fits, weights_of
from imagepipe.workflow.exceptions import InvalidBrief
from imagepipe.workflow.source_pictures import VERBS, SourcePicture
from imagepipe.workflow.style_models import Style

CLEARED = (AssetVersion.State.APPROVED, AssetVersion.State.PUBLISHED)
ALLOWING = (RightsRecord.Following.OWN, RightsRecord.Following.LICENSED)
READS_ITSELF = ("fake",)
"""Engines that follow reference pictures without an IP-Adapter."""


@dataclass(frozen=True, slots=True)
class StyleWish:
    """A style of the library (uid in hex), its picture, and how strongly it is followed."""

    style: str
    source: SourcePicture
    weight: float

    @classmethod
    def of(cls, style: Style, weight: float | None = None) -> StyleWish:
        chosen = style.weight if weight is None else weight
        return cls(style.uid.hex, SourcePicture.of_version(style.version), float(chosen))


def refusal(version: AssetVersion) -> str:
    """Why the picture may not be a style now, and what to do; empty where it may."""
    if version.asset.withdrawn_at or version.state == AssetVersion.State.WITHDRAWN:
        return _("The picture was withdrawn. Choose another one.")
    if version.state not in CLEARED:
        return _("Only an approved picture can be a style. Have this one approved first.")
    rights = RightsRecord.objects.filter(asset=version.asset).first()
    if rights is None or rights.following == RightsRecord.Following.UNKNOWN:
        return _(
            "Nobody has recorded that other pictures may be made after this one. Who sets "
            "rights can say so on the picture."
        )
    if rights.following not in ALLOWING:
        return _("The rights of this picture forbid making others after it.")
    if rights.persons == RightsRecord.Persons.MISSING:
        return _("The consent of persons in this picture is missing.")
    now = timezone.now()
    if rights.valid_from and now < rights.valid_from:
        return _("The rights of this picture have not begun yet.")
    if rights.valid_until and now >= rights.valid_until:
        return _("The rights of this picture have ended.")
    return ""


def usable_styles(user: AbstractBaseUser) -> list[Style]:
    """Styles whose pictures the person may see and whose rights hold now."""
    assets = policy_registry.get_by_type(Asset)
    visible = assets.instances_user_has_any_permission_for(user, list(VERBS))
    styles = Style.objects.filter(retired_at=None, version__asset__in=visible)
    found = styles.select_related("version__asset")
    return [style for style in found if not refusal(style.version)]


def find_style(uid: str) -> Style:
    """Return a style that may be used now. Raises ``InvalidBrief`` with the reason."""
    styles = Style.objects.select_related("version__asset")
    found = styles.filter(uid=uid, retired_at=None).first()
    if found is None:
        raise InvalidBrief(_("This style is not there any more. Choose another one."), "style")
    if reason := refusal(found.version):
        text = _("The style “%(style)s” cannot be used: %(reason)s")
        raise InvalidBrief(text % {"style": found, "reason": reason}, "style")
    return found


def applied(
    wish: StyleWish, model: RegisteredModel, can: Capabilities, mode: str
) -> dict[str, Any]:
    """What the plan says of a style: ``references``, or ``words`` and a note why.

    Raises ``InvalidBrief`` for what may not be used, and where the model can follow neither.
    """
    style = find_style(wish.style)
    if wish.source.sha256 != style.version.sha256:
        raise InvalidBrief(_("This style has another picture now. Choose it again."), "style")
    if not 0 < wish.weight <= 1:
        raise InvalidBrief(
            _("The weight of a style is a number above 0, up to 1."), "style_weight"
        )
    reader = _reader(model)
    follows = can.supports_references and mode in can.reference_modes
    if follows and (reader is not None or model.backend in READS_ITSELF):
        reference = {
            "source": wish.source.sha256,
            "style": wish.style,
            "weight": float(wish.weight),
            "model": weights_of(reader) if reader else None,
        }
        return {"references": (reference,)}
    if not style.words:
        raise InvalidBrief(
            _(
                "“%(model)s” cannot follow pictures, and the style “%(style)s” has no words. "
                "Choose another model or give the style words."
            )
            % {"model": model, "style": style},
            "style",
        )
    note = f"The style “{style}” was said in words: “{model}” has no IP-Adapter here."
    return {"style_words": style.words, "notes": (note,)}


def _reader(model: RegisteredModel) -> RegisteredModel | None:
    """The IP-Adapter that goes with a model; one made for its family comes first."""
    readers = [one for one in companions((Kind.IP_ADAPTER.value,)) if fits(one, model)]
    same = [one for one in readers if one.backend == model.backend]
    same.sort(key=lambda one: (one.family != model.family, one.slug))
    return same[0] if same else None

