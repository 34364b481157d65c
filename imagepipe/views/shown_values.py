"""Forms that remember what they showed, so that only what a person has changed is written."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.safestring import SafeString


class ShownValues(forms.BaseForm):
    """Mixed into a form whose action keeps what it is not given.

    Two people may have the same form open: neither takes back what the other has written in
    a field that they did not touch. Templates put ``shown_values`` beside the fields.
    """

    def remember_shown(self) -> None:
        """Call it once all fields are there."""
        names = {bound.html_initial_name for bound in self}
        told = not self.is_bound or not names.isdisjoint(self.data)
        for field in self.fields.values():
            field.show_hidden_initial = told

    def shown_values(self) -> list[SafeString]:
        return [
            field.as_hidden(only_initial=True)
            for field in self
            if field.field.show_hidden_initial
        ]

    def edited(self) -> dict[str, Any]:
        """The cleaned values of the fields that were changed since they were shown."""
        return {name: self.cleaned_data[name] for name in self.changed_data}
