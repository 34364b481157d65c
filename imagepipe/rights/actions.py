from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.utils.translation import gettext as _

from imagepipe.actions.base import Action
from imagepipe.assets.models import Asset
from imagepipe.events.bus import AssetChanged, emit
from imagepipe.exceptions import ImagepipeError
from imagepipe.rights.models import RightsRecord

FIELDS = frozenset(
    {
        "licence",
        "licence_url",
        "rights_holder",
        "credit",
        "acquire_url",
        "persons",
        "following",
        "markets",
        "channels",
        "valid_from",
        "valid_until",
        "fallback",
    }
)


class SetRights(Action[Asset, RightsRecord]):
    """Write the rights record of an asset; fields that are not named keep their value.

    ``values`` holds fields of :class:`RightsRecord`; an unknown name raises ``ValueError``,
    an end before the beginning ``ImagepipeError``.
    """

    action_name = "imagepipe.set_rights"
    permission_policy_action = "license"

    def __init__(
        self, instance: Asset, user: AbstractBaseUser | None, *, values: Mapping[str, Any]
    ) -> None:
        super().__init__(instance, user)
        if unknown := sorted(set(values) - FIELDS):
            raise ValueError(f"Not a field of a rights record: {', '.join(unknown)}")
        self.values = dict(values)

    def perform(self) -> RightsRecord:
        rights = RightsRecord.objects.filter(asset=self.instance).first()
        rights = rights or RightsRecord(asset=self.instance)
        for name, value in self.values.items():
            setattr(rights, name, value)
        rights.markets = sorted({str(market).upper() for market in rights.markets})
        rights.channels = sorted({str(channel).lower() for channel in rights.channels})
        if rights.valid_from and rights.valid_until and rights.valid_from >= rights.valid_until:
            raise ImagepipeError(_("The rights end before they begin."))
        if rights.fallback == self.instance:
            raise ImagepipeError(_("A picture cannot stand in for itself."))
        rights.updated_by = self.user
        rights.save()
        self.audit_data = {name: _plain(value) for name, value in self.values.items()}
        emit(AssetChanged(self.instance.uid.hex))
        return rights


def _plain(value: Any) -> Any:
    if isinstance(value, dt.datetime):
        return value.isoformat()
    return value.uid.hex if isinstance(value, Asset) else value
