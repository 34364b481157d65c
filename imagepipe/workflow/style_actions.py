"""Taking pictures into the library of styles, and out of it."""

from __future__ import annotations

from django.contrib.auth.models import AbstractBaseUser
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext as _

from imagepipe.actions.base import Action
from imagepipe.assets.models import AssetVersion
from imagepipe.exceptions import ImagepipeError, InvalidState
from imagepipe.workflow.style_models import Style
from imagepipe.workflow.styles import refusal


class StyleRefused(ImagepipeError):
    """The picture may not be a style; the message says why."""

    code = "style-refused"


class AddStyle(Action[AssetVersion, Style]):
    """Make an approved picture with cleared rights a style under a name.

    Raises :class:`StyleRefused` for any other picture, and for a name that is taken.
    """

    action_name = "imagepipe.style.add"
    permission_policy_action = "change"

    def __init__(
        self,
        instance: AssetVersion,
        user: AbstractBaseUser | None,
        *,
        name: str,
        words: str = "",
        weight: float = 0.6,
    ) -> None:
        super().__init__(instance, user)
        self.name, self.words, self.weight = name, words, weight

    def permission_subject(self) -> models.Model:
        return self.instance.asset

    def audit_chain(self) -> str:
        return self.instance.asset.uid.hex

    def perform(self) -> Style:
        version, name = self.instance, " ".join(self.name.split())[:80]
        if reason := refusal(version):
            raise StyleRefused(reason)
        if not name:
            raise StyleRefused(_("Give the style a name."))
        if Style.objects.filter(name=name).exists():
            raise StyleRefused(_("There is a style “%(name)s” already.") % {"name": name})
        if not 0 < self.weight <= 1:
            raise StyleRefused(_("The weight of a style is a number above 0, up to 1."))
        style = Style.objects.create(
            name=name,
            words=" ".join(self.words.split())[:300],
            weight=self.weight,
            version=version,
            created_by=self.user,
        )
        self.audit_data = {"style": style.uid.hex, "name": name, "sha256": version.sha256}
        return style


class RetireStyle(Action[Style, Style]):
    """Offer a style no more; what was made with it stays as it is."""

    action_name = "imagepipe.style.retire"
    permission_policy_action = "change"

    def permission_subject(self) -> models.Model:
        return self.instance.version.asset

    def audit_chain(self) -> str:
        return self.instance.version.asset.uid.hex

    def perform(self) -> Style:
        style = self.instance
        now = timezone.now()
        if not Style.objects.filter(pk=style.pk, retired_at=None).update(retired_at=now):
            raise InvalidState(_("The style is retired already."))
        style.refresh_from_db()
        self.audit_data = {"style": style.uid.hex, "name": style.name}
        return style
