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

from imagepipe.assets.exceptions import UnusablePicture
from imagepipe.exceptions import ImagepipeError
from imagepipe.generation.request import Mode
from imagepipe.registry.kinds import Kind
from imagepipe.registry.models import RegisteredModel
from imagepipe.views.edited_picture import EditedPicture, open_edited
from imagepipe.views.generation_form import GenerateForm
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
from imagepipe.workflow.source_pictures import SourcePicture
from imagepipe.workflow.style_models import Style
from imagepipe.workflow.styles import StyleWish, usable_styles

ADAPTER_PREFIX = "adapter_"
START = ("start_picture", "strength")
CONTROL = (
    "control", "control_picture", "control_ready", "control_weight", "control_start",
    "control_end",
)  # fmt: skip


def _number(label: Any, lowest: float, highest: float, initial: Any = None) -> forms.FloatField:
    return forms.FloatField(
        label=label, required=False, min_value=lowest, max_value=highest, initial=initial,
        widget=forms.NumberInput(attrs={"step": "any"}),
    )  # fmt: skip


class ExpertForm(GenerateForm):
    """As ``GenerateForm``. ``guide`` names a picture here whose edges are followed."""

    steps = forms.IntegerField(
        label=gettext_lazy("Steps"), required=False, min_value=1, max_value=MAX_STEPS
    )
    guidance = _number(gettext_lazy("Guidance"), 0, 100)
    scheduler = forms.ChoiceField(label=gettext_lazy("Scheduler"), required=False)
    start_picture = forms.FileField(
        label=gettext_lazy("Picture to start from"),
        required=False,
        help_text=gettext_lazy("A file. Pictures of the library have a button of their own."),
        widget=forms.FileInput(attrs={"accept": "image/*"}),
    )
    strength = _number(gettext_lazy("How much may change, in per cent"), 1, 100, 60)
    control = forms.ModelChoiceField(
        RegisteredModel.objects.none(),
        label=gettext_lazy("Follow a picture"),
        required=False,
        empty_label=gettext_lazy("No"),
        help_text=gettext_lazy("Keeps the edges, depth or pose of another picture."),
    )
    control_picture = forms.FileField(
        label=gettext_lazy("Picture to follow"),
        required=False,
        widget=forms.FileInput(attrs={"accept": "image/*"}),
    )
    control_ready = forms.BooleanField(
        label=gettext_lazy("It is drawn already: white on black"),
        required=False,
        help_text=gettext_lazy("Otherwise its edges are found first."),
    )
    control_weight = _number(gettext_lazy("Weight"), 0, MAX_WEIGHT, 1)
    control_start = _number(gettext_lazy("From (% of the steps)"), 0, 99, 0)
    control_end = _number(gettext_lazy("Until (% of the steps)"), 1, 100, 100)
    style = forms.ModelChoiceField(
        Style.objects.none(),
        label=gettext_lazy("Style"),
        required=False,
        empty_label=gettext_lazy("No style"),
        help_text=gettext_lazy(
            "Models that can follow pictures follow it; others are told its words."
        ),
    )
    style_weight = _number(gettext_lazy("How strongly, in per cent"), 1, 100)
    start_from = forms.CharField(required=False, max_length=80, widget=forms.HiddenInput)
    """As ``guide``: a picture here that is started from unless a file is given."""
    guide = forms.CharField(required=False, max_length=80, widget=forms.HiddenInput)

    def __init__(
        self,
        user: AbstractBaseUser,
        data: Mapping[str, Any] | None = None,
        files: Mapping[str, Any] | None = None,
        *,
        initial: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(user, data, initial=initial)
        self.files = files or {}
        self.fields["control"].queryset = RegisteredModel.objects.filter(
            state=RegisteredModel.State.ALLOWED, kind=Kind.CONTROLNET.value
        )
        self.adapters = companions(tuple(ADAPTERS))
        for adapter in self.adapters:
            label = _("Weight of “%(name)s” (%(kind)s)") % {
                "name": adapter, "kind": adapter.get_kind_display(),
            }  # fmt: skip
            field = _number(label, -MAX_WEIGHT, MAX_WEIGHT)
            self.fields[ADAPTER_PREFIX + adapter.slug] = field
        self._offer_schedulers()
        styles = [style.pk for style in usable_styles(user)]
        self.fields["style"].queryset = Style.objects.filter(pk__in=styles)
        self.followed = self._open("guide")
        self.started = self._open("start_from")

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

    def style_fields(self) -> list[forms.BoundField]:
        if not self.fields["style"].queryset.exists():
            return []
        return [self["style"], self["style_weight"]]

    def control_fields(self) -> list[forms.BoundField]:
        if not self.fields["control"].queryset.exists():
            return []
        return [self[name] for name in CONTROL]

    def adapter_fields(self) -> list[forms.BoundField]:
        return [self[ADAPTER_PREFIX + adapter.slug] for adapter in self.adapters]

    @property
    def opens_expert(self) -> bool:
        simple = {*GenerateForm.base_fields, *self.variable_names, forms.forms.NON_FIELD_ERRORS}
        return bool(set(self.errors) - simple) or bool(
            self.followed or self.started or self["style"].value()
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
            source = _upload(values["start_picture"], "start_picture")
        elif self.started is not None:
            source = self.started.source
        else:
            return None
        share = 60 if values["strength"] is None else values["strength"]
        return Edit(str(Mode.IMAGE_TO_IMAGE), source, share / 100)

    def _controls(self, values: Mapping[str, Any]) -> tuple[ControlWish, ...]:
        if values["control"] is None:
            return ()
        if values["control_picture"]:
            source = _upload(values["control_picture"], "control_picture")
        elif self.followed is not None:
            source = self.followed.source
        else:
            raise InvalidBrief(_("Give the picture that is to be followed."), "control_picture")

        def share(name: str, otherwise: float) -> float:
            return otherwise if values[name] is None else values[name] / 100

        return (
            ControlWish(
                values["control"].slug,
                source,
                computed=not values["control_ready"],
                weight=1.0 if values["control_weight"] is None else values["control_weight"],
                start=share("control_start", 0.0),
                end=share("control_end", 1.0),
            ),
        )

    def identity(self) -> dict[str, Any]:
        """What was written; files by their content."""
        values = super().identity()
        kept = self.cleaned_data["brief"].kept()
        return values | {"start_picture": None, "control_picture": None, "pictures": kept}


def _upload(file: Any, field: str) -> SourcePicture:
    try:
        return SourcePicture.of_upload(file.open().read())
    except UnusablePicture as error:
        raise InvalidBrief(str(error), field) from error


def limits_of(model: RegisteredModel | None) -> dict[str, Any]:
    """What the model cannot do, per part of the form, with the reason; empty where it can."""
    if model is None:
        return {"start": "", "control": "", "adapters": "", "schedulers": None}
    try:
        can = abilities(model)
    except ImagepipeError as error:
        reason = str(error)
        return {"start": reason, "control": reason, "adapters": reason, "schedulers": []}
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
    return {**reasons, "schedulers": list(can.schedulers)}
