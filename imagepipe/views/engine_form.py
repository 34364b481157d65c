"""The form of an engine; its key goes in and never comes out."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib.auth.models import AbstractBaseUser
from django.utils.translation import gettext_lazy as _

from imagepipe.conf import get_settings
from imagepipe.generation.actions import (
    CHANGEABLE,
    PRICES,
    ChangeEngine,
    CreateEngine,
    ReplaceKey,
)
from imagepipe.generation.models import Engine


class EngineForm(forms.ModelForm):
    """A new engine, or what can be changed about one."""

    key = forms.CharField(
        label=_("Key"),
        required=False,
        max_length=2000,
        widget=forms.PasswordInput(
            render_value=False, attrs={"autocomplete": "new-password", "spellcheck": "false"}
        ),
    )
    remove_key = forms.BooleanField(label=_("Forget the stored key"), required=False)

    class Meta:
        model = Engine
        fields = ["name", "kind", "address", "options", "concurrent", "per_minute", *PRICES]
        widgets = {"options": forms.Textarea(attrs={"rows": 6, "spellcheck": "false"})}

    field_order = [
        "name", "kind", "address", "key", "remove_key", "options", "concurrent", "per_minute",
        *PRICES,
    ]  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["key"].help_text = _(
            "A token, or user:password. It is stored encrypted and never shown."
        )
        for name in PRICES:
            field = self.fields[name]
            field.label = f"{field.label} ({get_settings().CURRENCY})"
            field.widget.attrs["step"] = "any"
            field.required = False
            self.initial[name] = f"{getattr(self.instance, name).normalize():f}"
        if self.instance.pk:
            del self.fields["name"], self.fields["kind"]
        if self.instance.has_key:
            self.fields["key"].help_text = _(
                "A key is stored. Leave this empty to keep it, or enter another one."
            )
        else:
            del self.fields["remove_key"]

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        return values | {name: values.get(name) or Decimal(0) for name in PRICES}

    def save_as(self, user: AbstractBaseUser) -> Engine:
        """Let the actions do it. Raises ``InvalidEngine`` and ``PermissionDenied``."""
        values, key = self.cleaned_data, self.cleaned_data["key"]
        if not self.instance.pk:
            return CreateEngine(self.instance, user, key=key).execute()
        changes = {name: values[name] for name in CHANGEABLE}
        if values.get("remove_key") and not key:
            ReplaceKey(self.instance, user, key="").execute()
        return ChangeEngine(self.instance, user, values=changes, key=key).execute()
