"""The form for rights, alone and as a part of approving."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from imagepipe.assets.models import Asset
from imagepipe.delivery.documents import rights_of
from imagepipe.rights.models import RightsRecord
from imagepipe.views.shown_values import ShownValues

CODES = re.compile(r"[\s,;]+")


def _moment() -> forms.DateTimeInput:
    """The browser's own picker: it knows telephones and needs no script."""
    return forms.DateTimeInput({"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")


def _address(label: Any) -> forms.URLField:
    return forms.URLField(label=label, required=False, max_length=200, assume_scheme="https")


class CodesField(forms.CharField):
    """Short codes separated by commas or spaces, as a list."""

    def __init__(self, *, pattern: str, hint: str, **kwargs: Any) -> None:
        super().__init__(required=False, max_length=500, **kwargs)
        self.pattern, self.hint = re.compile(pattern), hint

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> list[str]:
        codes = [code for code in CODES.split(super().clean(value)) if code]
        for code in codes:
            if not self.pattern.fullmatch(code):
                raise forms.ValidationError(self.hint % {"code": code[:20]})
        return codes


class RightsForm(ShownValues, forms.ModelForm):
    """What is known about the rights of a picture; saved by the action, not by the form."""

    licence_url = _address(_("Address of the licence"))
    acquire_url = _address(_("Address where a licence can be acquired"))
    markets = CodesField(
        label=_("Markets"),
        pattern=r"[A-Za-z]{2}",
        hint=_("“%(code)s” is not a country code of two letters."),
        help_text=_("Country codes such as DE, AT. Empty: everywhere."),
    )
    channels = CodesField(
        label=_("Channels"),
        pattern=r"[A-Za-z0-9_-]{1,40}",
        hint=_("“%(code)s” is not the name of a channel."),
        help_text=_("For example web, social. Empty: all."),
    )

    class Meta:
        model = RightsRecord
        fields = (
            "licence",
            "rights_holder",
            "credit",
            "persons",
            "following",
            "licence_url",
            "acquire_url",
            "markets",
            "channels",
            "valid_from",
            "valid_until",
            "fallback",
        )
        widgets = {"valid_from": _moment(), "valid_until": _moment()}

    def __init__(self, asset: Asset, choices: Any, data: Any = None) -> None:
        super().__init__(data, instance=rights_of(asset))
        kept = Q(pk=self.instance.fallback_id) | Q(pk__in=choices.values("pk"))
        self.fields["fallback"].queryset = Asset.objects.filter(kept).exclude(pk=asset.pk)
        self.fields["fallback"].empty_label = _("Nothing")
        self.remember_shown()

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        begin, end = values.get("valid_from"), values.get("valid_until")
        if begin and end and begin >= end:
            self.add_error("valid_until", _("The rights end before they begin."))
        return values

    def _post_clean(self) -> None:
        """The record is written by the action; the instance stays as it is."""

    @property
    def values(self) -> dict[str, Any]:
        """What ``SetRights`` takes: the fields that were changed."""
        return self.edited()
