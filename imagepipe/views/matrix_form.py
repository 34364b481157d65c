"""The form of a matrix: what all pictures share, and up to four axes of values."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import PermissionDenied
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin.forms.collections import CollectionChoiceField
from wagtail.models import Collection

from imagepipe.prompts.exceptions import InvalidTemplate, PromptError
from imagepipe.prompts.models import PromptTemplate
from imagepipe.prompts.profile_models import GenerationProfile
from imagepipe.prompts.rendering import find_variables
from imagepipe.registry.models import RegisteredModel
from imagepipe.views.access import collections_for
from imagepipe.views.imported_models import allowed_checkpoints
from imagepipe.workflow.brief_profiles import chosen_model
from imagepipe.workflow.briefs import MAX_SEED, Brief, make_plan
from imagepipe.workflow.exceptions import InvalidBrief
from imagepipe.workflow.matrix import MAX_CELLS, Axis, combine
from imagepipe.workflow.matrix_actions import Cell, StartMatrix
from imagepipe.workflow.models import Run
from imagepipe.workflow.production import MAX_CANDIDATES, Plan

AXES = 4
VARIABLE = "variable:"
PARAMETERS = {
    "prompt": gettext_lazy("Prompt"),
    "negative": gettext_lazy("What must not appear"),
    "seed": gettext_lazy("Seed"),
    "steps": gettext_lazy("Steps"),
    "guidance": gettext_lazy("Guidance"),
    "width": gettext_lazy("Width in pixels"),
    "height": gettext_lazy("Height in pixels"),
}
WHOLE = ("seed", "steps", "width", "height")
_WHOLE = re.compile(r"[0-9]{1,16}")
_NUMBER = re.compile(r"[0-9]{1,4}(\.[0-9]{1,6})?")


class MatrixForm(forms.Form):
    """Errors appear at the axis that can mend them."""

    title = forms.CharField(
        label=gettext_lazy("Brief"),
        max_length=120,
        help_text=gettext_lazy("What the pictures are for; each title adds its own values."),
    )
    template = forms.ModelChoiceField(
        PromptTemplate.objects.filter(live=True),
        label=gettext_lazy("Prompt template"),
        required=False,
        empty_label=gettext_lazy("None: I write the prompt myself"),
    )
    prompt = forms.CharField(
        label=gettext_lazy("Prompt"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("Without a template, and where no axis has prompts."),
    )
    profile = forms.ModelChoiceField(
        GenerationProfile.objects.none(),
        label=gettext_lazy("Profile"),
        required=False,
        to_field_name="slug",
        empty_label=gettext_lazy("No profile"),
        help_text=gettext_lazy("Parameters under a name. What an axis changes comes first."),
    )
    model = forms.ModelChoiceField(
        RegisteredModel.objects.none(),
        label=gettext_lazy("Model"),
        required=False,
        empty_label=gettext_lazy("As the template says"),
    )
    candidates = forms.IntegerField(
        label=gettext_lazy("Pictures of each combination"),
        min_value=1,
        max_value=MAX_CANDIDATES,
        initial=1,
    )
    seed = forms.IntegerField(
        label=gettext_lazy("Seed of all"),
        required=False,
        min_value=0,
        max_value=MAX_SEED - MAX_CANDIDATES,
        help_text=gettext_lazy("The same seed makes pictures comparable. Empty: by chance."),
    )
    collection = CollectionChoiceField(
        label=gettext_lazy("Collection"), queryset=Collection.objects.all(), empty_label=None
    )
    sheet = forms.UUIDField(widget=forms.HiddenInput(attrs={"autocomplete": "off"}))
    """Names the matrix, so that sending the form twice starts it once."""

    def __init__(
        self, user: AbstractBaseUser, data: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(data, initial={"sheet": uuid.uuid4()})
        self.user = user
        collections = collections_for(user, "generate")
        if not collections.exists():
            raise PermissionDenied
        self.fields["collection"].queryset = collections
        self.fields["model"].queryset = allowed_checkpoints()
        self.fields["profile"].queryset = GenerationProfile.objects.filter(live=True)
        if not self.fields["profile"].queryset.exists():
            del self.fields["profile"]
        choices = self._choices()
        for number in range(1, AXES + 1):
            self._add_axis(number, choices)

    def _choices(self) -> list[tuple[str, Any]]:
        names: dict[str, None] = {}
        for template in PromptTemplate.objects.filter(live=True):
            try:
                names |= dict.fromkeys(find_variables(template))
            except InvalidTemplate:
                continue
        variables = [(VARIABLE + name, name.replace("_", " ").capitalize()) for name in names]
        return [
            ("", _("Nothing")),
            (_("Variables of templates"), variables),
            (_("Parameters"), list(PARAMETERS.items())),
        ]

    def _add_axis(self, number: int, choices: list[tuple[str, Any]]) -> None:
        self.fields[f"field{number}"] = forms.ChoiceField(
            label=_("What changes"), choices=choices, required=False
        )
        self.fields[f"values{number}"] = forms.CharField(
            label=_("Values, one on each line"),
            required=False,
            max_length=40_000,
            widget=forms.Textarea(attrs={"rows": 3}),
        )
        self.fields[f"group{number}"] = forms.ChoiceField(
            label=_("Combined"),
            required=False,
            choices=[
                ("", _("With every value of the others")),
                ("A", _("Line by line, together A")),
                ("B", _("Line by line, together B")),
            ],
        )

    def axis_rows(self) -> list[tuple[int, list[forms.BoundField]]]:
        """Number and fields of each axis."""
        parts = ("field", "values", "group")
        return [
            (number, [self[f"{part}{number}"] for part in parts])
            for number in range(1, AXES + 1)
        ]

    def common_fields(self) -> list[forms.BoundField]:
        names = (
            "title", "template", "prompt", "profile", "model", "candidates", "seed",
            "collection",
        )  # fmt: skip
        return [self[name] for name in names if name in self.fields]

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        if self.errors:
            return values
        axes, rows = [], {}
        for number in range(1, AXES + 1):
            if name := values[f"field{number}"]:
                axes.append(self._axis(number, name))
                rows[name] = f"values{number}"
        if self.errors:
            return values
        if not axes:
            self.add_error("field1", _("Choose at least one thing that changes."))
            return values
        try:
            self.combinations = combine(axes)
        except InvalidBrief as error:
            self.add_error(rows.get(error.field), str(error))
            return values
        self._check_cells(rows)
        return values

    def _axis(self, number: int, name: str) -> Axis:
        lines = self.cleaned_data[f"values{number}"].splitlines()
        texts = [line.strip() for line in lines if line.strip()]
        if not texts or len(texts) > MAX_CELLS:
            problem = _("Write 1 to %(limit)d values, one on each line.") % {"limit": MAX_CELLS}
            self.add_error(f"values{number}", problem)
        parsed: list[Any] = list(texts)
        pattern = _WHOLE if name in WHOLE else _NUMBER if name == "guidance" else None
        if pattern is not None:
            wrong = [text for text in texts if not pattern.fullmatch(text)]
            if wrong:
                problem = _("“%(value)s” is not a number that fits.") % {"value": wrong[0][:40]}
                self.add_error(f"values{number}", problem)
            else:
                parsed = [int(text) if name in WHOLE else float(text) for text in texts]
        return Axis(name, tuple(parsed), self.cleaned_data[f"group{number}"])

    def _check_cells(self, rows: Mapping[str, str]) -> None:
        values = self.cleaned_data
        self.plans: list[tuple[int | None, Plan]] = []
        for cell in self.cells:
            try:
                plan = make_plan(
                    cell.brief,
                    title=values["title"],
                    template=values["template"],
                    model=values["model"],
                )
            except (InvalidBrief, PromptError) as error:
                culprit = getattr(error, "field", "")
                shared = culprit if culprit in self.fields else next(iter(rows.values()))
                self.add_error(rows.get(culprit) or shared, f"{cell.label}: {error}")
                return
            model = chosen_model(cell.brief, values["template"], values["model"])
            self.plans.append((model.pk if model else None, plan))

    @cached_property
    def cells(self) -> list[Cell]:
        """One per combination; call it on a valid form."""
        return [Cell(_label(chosen), self._brief(chosen)) for chosen in self.combinations]

    def _brief(self, chosen: Mapping[str, Any]) -> Brief:
        values = self.cleaned_data
        variables = {
            name.removeprefix(VARIABLE): value
            for name, value in chosen.items()
            if name.startswith(VARIABLE)
        }
        words = None if values["template"] else values["prompt"]
        profile = values.get("profile")
        asked = {
            "prompt": words,
            "seed": values["seed"],
            "profile": profile.slug if profile else None,
        } | {
            name: value for name, value in chosen.items() if not name.startswith(VARIABLE)
        }
        return Brief(variables=variables, candidates=values["candidates"], **asked)

    def start(self) -> list[Run]:
        """Queue the runs. Raises ``PermissionDenied`` and ``QueueRefused``."""
        values = self.cleaned_data
        common = Run(
            uid=values["sheet"],
            title=values["title"],
            template=values["template"],
            model=values["model"],
            collection=values["collection"],
        )
        return StartMatrix(common, self.user, cells=self.cells).execute()


def _label(chosen: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{PARAMETERS[name]} {value:g}" if isinstance(value, float)
        else f"{PARAMETERS[name]} {value}" if isinstance(value, int)
        else str(value)[:60]
        for name, value in chosen.items()
    )  # fmt: skip

