"""The form of *Generate* with everything that experts set: a start picture, edges to follow,
adapters, steps, guidance and scheduler."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from imagepipe.exceptions import ImagepipeError
from imagepipe.generation.request import Mode
from imagepipe.registry.models import RegisteredModel
from imagepipe.views.control_fields import (
    ROWS,
    ControlRow,
    control_fields,
    controlnets,
    number_field,
    upload,
)
from imagepipe.views.edited_picture import EditedPicture, open_edited
from imagepipe.views.generation_form import GenerateForm
from imagepipe.views.guides import open_guide
from imagepipe.views.unsupported import unsupported
from imagepipe.workflow.abilities import abilities, obstacle
from imagepipe.workflow.briefs import MAX_STEPS, Brief
from imagepipe.workflow.conditions import (
    ADAPTERS,
    MAX_WEIGHT,
    AdapterWish,
    ControlWish,
    companions,
)
from imagepipe.workflow.edits import Edit
from imagepipe.workflow.exceptions import InvalidBrief
from imagepipe.workflow.style_models import Style
from imagepipe.workflow.styles import StyleWish, usable_styles

FOLLOWED = ("seed", "negative", "steps", "guidance", "scheduler", "strength")
"""Fields that are greyed out with the reason once a model is chosen that ignores them."""
ADAPTER_PREFIX = "adapter_"
DRAWN = "control_drawn"
START = ("start_picture", "strength")


class ExpertForm(GenerateForm):
    """As ``GenerateForm``. ``guide`` names a picture here whose edges are followed."""

    steps = forms.IntegerField(
        label=gettext_lazy("Steps"), required=False, min_value=1, max_value=MAX_STEPS
    )
    guidance = number_field(gettext_lazy("Guidance"), 0, 100)
    scheduler = forms.ChoiceField(label=gettext_lazy("Scheduler"), required=False)
    start_picture = forms.FileField(
        label=gettext_lazy("Picture to start from"),
        required=False,
        help_text=gettext_lazy("A file. Pictures of the library have a button of their own."),
        widget=forms.FileInput(attrs={"accept": "image/*"}),
    )
    strength = number_field(gettext_lazy("How much may change, in per cent"), 1, 100, 60)
    style = forms.ModelChoiceField(
        Style.objects.none(),
        label=gettext_lazy("Style"),
        required=False,
        empty_label=gettext_lazy("No style"),
        help_text=gettext_lazy(
            "Models that can follow pictures follow it; others are told its words."
        ),
    )
    style_weight = number_field(gettext_lazy("How strongly, in per cent"), 1, 100)
    start_from = forms.CharField(required=False, max_length=80, widget=forms.HiddenInput)
    """As ``guide``: a picture here that is started from unless a file is given."""
    guide = forms.CharField(required=False, max_length=80, widget=forms.HiddenInput)
    kept = forms.CharField(required=False, max_length=9, widget=forms.HiddenInput)
    """Key of a mask or control picture that was used before and is followed again."""

    def __init__(
        self,
        user: AbstractBaseUser,
        data: Mapping[str, Any] | None = None,
        files: Mapping[str, Any] | None = None,
        *,
        initial: Mapping[str, Any] | None = None,
        prefix: str | None = None,
        with_library: bool = True,
    ) -> None:
        super().__init__(user, data, initial=initial, prefix=prefix)
        self.files = files or {}
        self._add_controls(with_library)
        self.adapters = companions(tuple(ADAPTERS))
        for adapter in self.adapters:
            label = _("Weight of “%(name)s” (%(kind)s)") % {
                "name": adapter, "kind": adapter.get_kind_display(),
            }  # fmt: skip
            field = number_field(label, -MAX_WEIGHT, MAX_WEIGHT)
            self.fields[ADAPTER_PREFIX + adapter.slug] = field
        self._offer_schedulers()
        styles = [style.pk for style in usable_styles(user)]
        self.fields["style"].queryset = Style.objects.filter(pk__in=styles)
        self.followed = self._open("guide")
        self.started = self._open("start_from")
        self.reused = open_guide(user, str(self["kept"].value() or ""))

    def _add_controls(self, with_library: bool) -> None:
        models = controlnets()
        self.follows = models.exists()
        if not self.follows:
            return
        for number in range(1, ROWS + 1):
            suffix = "" if number == 1 else f"_{number}"
            for name, field in control_fields(models, with_library=with_library).items():
                self.fields[name + suffix] = field

    def _offer_schedulers(self) -> None:
        known: dict[str, None] = {}
        for model in self.fields["model"].queryset:
            try:
                known |= dict.fromkeys(abilities(model).schedulers)
            except InvalidBrief:
                continue
        names = [(name, name) for name in known]
        self.fields["scheduler"].choices = [("", _("As the model says")), *names]

    def _open(self, name: str) -> EditedPicture | None:
        """The candidate (uid) or version (uid of its asset, number) that a field names."""
        uid, _slash, number = str(self[name].value() or "").partition("/")
        try:
            return open_edited(self.user, uuid.UUID(uid), int(number) if number else None)
        except (ValueError, Http404, PermissionDenied):
            return None

    def sampling_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in ("steps", "guidance", "scheduler")]

    def start_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in START]

    def hidden_fields(self) -> list[forms.BoundField]:
        """Drawings stand where they are drawn."""
        return [f for f in super().hidden_fields() if not f.name.startswith(DRAWN)]

    def style_fields(self) -> list[forms.BoundField]:
        if not self.fields["style"].queryset.exists():
            return []
        return [self["style"], self["style_weight"]]

    def control_rows(self) -> list[ControlRow]:
        """None where nothing here follows pictures."""
        if not self.follows:
            return []
        return [
            ControlRow(self, 1, self.followed, self.reused),
            *(ControlRow(self, number) for number in range(2, ROWS + 1)),
        ]

    def adapter_fields(self) -> list[forms.BoundField]:
        return [self[ADAPTER_PREFIX + adapter.slug] for adapter in self.adapters]

    @property
    def opens_expert(self) -> bool:
        general = {"purpose", forms.forms.NON_FIELD_ERRORS}
        simple = {*GenerateForm.base_fields, *self.variable_names, *general}
        return bool(set(self.errors) - simple) or bool(
            self.followed or self.reused or self.started or self["style"].value()
        )

    def brief(self) -> Brief:
        """Raises ``InvalidBrief`` for pictures that cannot be used."""
        values = self.cleaned_data
        wishes = tuple(
            AdapterWish(adapter.slug, weight)
            for adapter in self.adapters
            if (weight := values.get(ADAPTER_PREFIX + adapter.slug)) is not None
        )
        return dataclasses.replace(
            super().brief(),
            steps=values["steps"],
            guidance=values["guidance"],
            scheduler=values["scheduler"] or None,
            edit=self._edit(values),
            controls=self._controls(values),
            adapters=wishes,
            style=self._style(values),
        )

    def _style(self, values: Mapping[str, Any]) -> StyleWish | None:
        if values["style"] is None:
            return None
        share = values["style_weight"]
        return StyleWish.of(values["style"], None if share is None else share / 100)

    def _edit(self, values: Mapping[str, Any]) -> Edit | None:
        if values["start_picture"]:
            source = upload(values["start_picture"].open().read(), "start_picture")
        elif self.started is not None:
            source = self.started.source
        else:
            return None
        share = 60 if values["strength"] is None else values["strength"]
        return Edit(str(Mode.IMAGE_TO_IMAGE), source, share / 100)

    def _controls(self, values: Mapping[str, Any]) -> tuple[ControlWish, ...]:
        wished = {row.suffix: row.wish(values, self.user) for row in self.control_rows()}
        self.wished = [suffix for suffix, wish in wished.items() if wish is not None]
        return tuple(wish for wish in wished.values() if wish is not None)

    def _culprits(self, error: Exception) -> list[str | None]:
        """What is wrong with one of several pictures is said in its own row."""
        if isinstance(error, InvalidBrief) and error.index is not None:
            name = error.field + self.wished[error.index]
            return [name if name in self.fields else None]
        return super()._culprits(error)

    def identity(self) -> dict[str, Any]:
        """What was written; files by their content."""
        values = super().identity()
        kept = self.cleaned_data["brief"].kept()
        files = [n for n in values if n.startswith(("start_picture", "control_picture"))]
        return values | dict.fromkeys(files) | {"pictures": kept}


def limits_of(model: RegisteredModel | None) -> dict[str, Any]:
    """What the model cannot do, per part of the form, with the reason; empty where it can."""
    if model is None:
        return {"start": "", "control": "", "adapters": "", "schedulers": None, "fields": {}}
    try:
        can = abilities(model)
    except ImagepipeError as error:
        reason = str(error)
        parts = dict.fromkeys(("start", "control", "adapters"), reason)
        return {**parts, "schedulers": [], "fields": {}}
    facts = {"model": model}
    reasons = {
        "start": obstacle(model, Mode.IMAGE_TO_IMAGE),
        "control": _("“%(model)s” cannot follow control pictures.") % facts,
        "adapters": _("“%(model)s” cannot use adapters.") % facts,
    }
    if can.supports_controls:
        reasons["control"] = ""
    if can.supports_adapters:
        reasons["adapters"] = ""
    fields = {n: why for n, why in unsupported(can).items() if n in FOLLOWED}
    return {**reasons, "schedulers": list(can.schedulers), "fields": fields}
