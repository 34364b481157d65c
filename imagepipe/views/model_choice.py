"""Choosing a model, with those that cannot do what is wanted greyed out and the reason said."""

from __future__ import annotations

from typing import Any

from django import forms

from imagepipe.registry.kinds import Kind
from imagepipe.registry.models import RegisteredModel
from imagepipe.workflow.abilities import obstacle


class ModelSelect(forms.Select):
    """Options in ``obstacles`` (by primary key) cannot be chosen and say why."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.obstacles: dict[Any, str] = {}

    def create_option(
        self, name: str, value: Any, label: Any, *args: Any, **kwargs: Any
    ) -> Any:
        reason = self.obstacles.get(getattr(value, "value", value))
        if reason:
            label = f"{label} ({reason})"
        option = super().create_option(name, value, label, *args, **kwargs)
        if reason:
            option["attrs"]["disabled"] = True
        return option


def offer_models(field: forms.ModelChoiceField, mode: str) -> list[RegisteredModel]:
    """Offer the allowed checkpoints; return those that can work in this mode."""
    field.queryset = RegisteredModel.objects.filter(
        state=RegisteredModel.State.ALLOWED, kind=Kind.CHECKPOINT.value
    )
    reasons = {model: obstacle(model, mode) for model in field.queryset}
    field.widget.obstacles = {model.pk: reason for model, reason in reasons.items() if reason}
    return [model for model, reason in reasons.items() if not reason]
