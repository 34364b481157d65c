"""The moment by which somebody needs what a form asks for."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy


class DeadlineField(forms.DateTimeField):
    """A moment to come, in the person's time zone; may be left empty."""

    def __init__(self, **options: Any) -> None:
        look = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
        defaults = {
            "label": gettext_lazy("Needed by"),
            "required": False,
            "widget": look,
            "help_text": gettext_lazy(
                "When little time is left the run goes first. Empty: there is no hurry."
            ),
        }
        super().__init__(**(defaults | options))

    def validate(self, value: dt.datetime | None) -> None:
        super().validate(value)
        if value is not None and value <= timezone.now():
            raise forms.ValidationError(_("This is in the past."))
