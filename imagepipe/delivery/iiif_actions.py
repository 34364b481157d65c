"""Opening a picture to viewers that speak IIIF, and closing it again."""

from __future__ import annotations

from django.contrib.auth.models import AbstractBaseUser
from django.utils.translation import gettext as _

from imagepipe.actions.base import Action
from imagepipe.assets.models import Asset
from imagepipe.delivery.models import Publication
from imagepipe.delivery.outbox import request_publication
from imagepipe.exceptions import InvalidState


class SetIiif(Action[Asset, Asset]):
    """Let everybody who may see the picture ask for any part of it in full size, or no more.

    It counts for what is published now and later. Raises InvalidState where it is so already.
    """

    action_name = "imagepipe.set_iiif"
    permission_policy_action = "publish"

    def __init__(
        self, instance: Asset, user: AbstractBaseUser | None, *, is_open: bool
    ) -> None:
        super().__init__(instance, user)
        self.is_open = is_open

    def perform(self) -> Asset:
        asset = Asset.objects.select_for_update().get(pk=self.instance.pk)
        if asset.iiif == self.is_open:
            raise InvalidState(
                _("The picture is open to viewers already.")
                if self.is_open
                else _("The picture is closed to viewers already.")
            )
        asset.iiif = self.instance.iiif = self.is_open
        asset.save(update_fields=["iiif"])
        # In this transaction: nothing may come between closing it and telling the edges.
        if Publication.objects.filter(asset=asset, desired__gt=0).exists():
            request_publication(asset)
        self.audit_data = {"open": self.is_open, "closed": not self.is_open}
        return self.instance
