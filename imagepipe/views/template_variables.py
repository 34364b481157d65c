"""The variables of a prompt template as form fields."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from imagepipe.prompts.exceptions import InvalidTemplate
from imagepipe.prompts.models import PromptTemplate
from imagepipe.prompts.rendering import find_variables

VARIABLE_PREFIX = "variable_"


def variable_fields(template: PromptTemplate) -> dict[str, forms.Field]:
    """Return one field per variable, in the order in which the template names them.

    A variable with a default may be left empty. A template that cannot be read has none;
    the brief says why.
    """
    try:
        names = find_variables(template)
    except InvalidTemplate:
        return {}
    declared = _declarations(template)
    return {VARIABLE_PREFIX + name: _field(name, declared.get(name, {})) for name in names}


def _field(name: str, declaration: dict[str, Any]) -> forms.Field:
    label = str(declaration.get("label") or name.replace("_", " ").capitalize())
    default = declaration.get("default")
    initial = default if isinstance(default, str) else None
    choices = declaration.get("choices")
    if isinstance(choices, list) and choices:
        texts = [choice for choice in choices if isinstance(choice, str)]
        return forms.ChoiceField(
            label=label, choices=[(text, text) for text in texts], initial=initial
        )
    return forms.CharField(
        label=label,
        initial=initial,
        required=initial is None,
        error_messages={"required": _("Fill this in: the template needs it.")},
    )


def _declarations(template: PromptTemplate) -> dict[str, dict[str, Any]]:
    entries = template.variables if isinstance(template.variables, list) else []
    return {
        entry["name"]: entry
        for entry in entries
        if isinstance(entry, dict) and isinstance(entry.get("name"), str)
    }
