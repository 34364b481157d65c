"""The form that registers a model: a folder of the workers, or an id on a hub."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from imagepipe.exceptions import ImagepipeError
from imagepipe.registry import hub, places
from imagepipe.registry.entries import Entry
from imagepipe.registry.models import KIND_NAMES
from imagepipe.workflow.model_import import ImportModel
from imagepipe.workflow.models import Run


class ModelForm(forms.Form):
    """Everything but the place may be left to the files and the hub's card."""

    source = forms.CharField(
        label=_("Folder or id"),
        max_length=500,
        help_text=_(
            "The whole path of a folder on the machine of the workers, or owner/name on a hub."
        ),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    licence = forms.CharField(
        label=_("Licence"),
        required=False,
        max_length=120,
        help_text=_("Empty: as the card on the hub says. A folder needs it."),
    )
    licence_url = forms.URLField(
        label=_("Address of the licence"), required=False, max_length=200, assume_scheme="https"
    )
    name = forms.CharField(
        label=_("Name"), required=False, max_length=120, help_text=_("As people see it.")
    )
    kind = forms.ChoiceField(
        label=_("Kind"), required=False, choices=[("", _("As the files say")), *KIND_NAMES]
    )
    family = forms.CharField(
        label=_("Family"),
        required=False,
        max_length=40,
        help_text=_("Of checkpoints that a LoRA or embedding fits: sd, sdxl. Others say it."),
    )
    revision = forms.CharField(
        label=_("Revision"),
        required=False,
        max_length=100,
        help_text=_("Branch, tag or commit on the hub; it is pinned to its commit."),
    )
    variant = forms.RegexField(
        r"^[a-z0-9_]{0,20}$",
        label=_("Variant"),
        required=False,
        help_text=_("Of the weights on the hub, such as fp16."),
    )
    card = forms.CharField(
        label=_("Model card"),
        required=False,
        max_length=50_000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("Empty: the README of the hub."),
    )

    def clean_source(self) -> str:
        source = str(self.cleaned_data["source"]).strip()
        try:
            places.check_place(source)
        except ImagepipeError as error:
            raise ValidationError(str(error)) from error
        return source

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        source = values.get("source", "")
        if source and not hub.is_hub_id(source) and not values.get("licence"):
            self.add_error("licence", _("Say under which licence the model may be used."))
        return values

    def execute(self, user: AbstractBaseUser) -> Run:
        """Start the run; call it on a valid form. Raises ``ImagepipeError``."""
        return ImportModel(Run(), user, entry=Entry(**self.cleaned_data)).execute()
