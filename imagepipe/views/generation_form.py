"""The form that asks for pictures: from a prompt template, or in free words with a model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext_lazy as _
from wagtail.admin.forms.collections import CollectionChoiceField
from wagtail.models import Collection

from imagepipe.conf import get_settings
from imagepipe.prompts.exceptions import MissingVariable, PromptError, PromptTooLong
from imagepipe.prompts.models import PromptTemplate
from imagepipe.prompts.profile_models import GenerationProfile
from imagepipe.prompts.rendering import check_length, tidy
from imagepipe.registry.kinds import Kind
from imagepipe.registry.models import RegisteredModel
from imagepipe.views.access import collections_for
from imagepipe.views.deadline import DeadlineField
from imagepipe.views.purpose import offer_purposes
from imagepipe.views.sheets import idempotency_key, sheet_field
from imagepipe.views.template_variables import VARIABLE_PREFIX, variable_fields
from imagepipe.views.unsupported import unsupported
from imagepipe.workflow.abilities import abilities_if_known
from imagepipe.workflow.actions import StartRun
from imagepipe.workflow.briefs import MAX_SEED, MAX_SIDE, Brief, make_plan
from imagepipe.workflow.exceptions import InvalidBrief
from imagepipe.workflow.models import Run
from imagepipe.workflow.production import MAX_CANDIDATES


class GenerateForm(forms.Form):
    """Everything that a run needs. With a template, its variables become fields.

    Errors of the brief and of the prompt appear at the field that can mend them. Raises
    ``PermissionDenied`` for someone who may not generate in any collection.
    """

    title = forms.CharField(
        label=_("Brief"),
        max_length=255,
        help_text=_("What the picture is for; becomes its title."),
    )
    template = forms.ModelChoiceField(
        PromptTemplate.objects.none(),
        label=_("Prompt template"),
        required=False,
        empty_label=_("None: I write the prompt myself"),
        widget=forms.Select(
            attrs={
                "data-imagepipe-template-target": "select",
                "data-action": "change->imagepipe-template#change",
            }
        ),
    )
    prompt = forms.CharField(
        label=_("Prompt"),
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("What the picture shows, in your words."),
        error_messages={"required": _("The prompt is empty. Say what the picture shall show.")},
    )
    candidates = forms.IntegerField(
        label=_("Candidates"),
        min_value=1,
        max_value=MAX_CANDIDATES,
        help_text=_("How many pictures to choose from."),
    )
    collection = CollectionChoiceField(
        label=_("Collection"), queryset=Collection.objects.all(), empty_label=None
    )
    priority = forms.TypedChoiceField(
        label=_("Priority"),
        coerce=int,
        empty_value=0,
        required=False,
        initial=0,
        choices=[(50, _("Urgent")), (0, _("Normal")), (-50, _("When there is time"))],
        help_text=_("What is urgent comes first."),
    )
    deadline = DeadlineField()
    profile = forms.ModelChoiceField(
        GenerationProfile.objects.none(),
        label=_("Profile"),
        required=False,
        to_field_name="slug",
        empty_label=_("No profile"),
        help_text=_("Parameters under a name. What you fill in yourself comes first."),
    )
    model = forms.ModelChoiceField(
        RegisteredModel.objects.none(),
        label=_("Model"),
        required=False,
        empty_label=_("As the template says"),
        help_text=_("Needed where no template names one."),
        error_messages={"required": _("Choose a model: without a template none is named.")},
    )
    negative = forms.CharField(
        label=_("What must not appear"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Replaces what the template excludes."),
    )
    seed = forms.IntegerField(
        label=_("Seed"),
        required=False,
        min_value=0,
        max_value=MAX_SEED - MAX_CANDIDATES,
        help_text=_("The same seed makes the same pictures again. Empty: chance decides."),
    )
    width = forms.IntegerField(
        label=_("Width in pixels"), required=False, min_value=16, max_value=MAX_SIDE
    )
    height = forms.IntegerField(
        label=_("Height in pixels"), required=False, min_value=16, max_value=MAX_SIDE
    )
    sheet = sheet_field()
    """Which showing of the form this is: sending one twice, unchanged, makes one run."""

    PLACE = ("candidates", "collection", "priority", "deadline", "purpose")
    DETAILS = ("profile", "model", "negative", "seed", "width", "height")

    def __init__(
        self,
        user: AbstractBaseUser,
        data: Mapping[str, Any] | None = None,
        *,
        initial: Mapping[str, Any] | None = None,
        prefix: str | None = None,
    ) -> None:
        templates = PromptTemplate.objects.filter(live=True).select_related("model")
        initial = {
            "candidates": get_settings().CANDIDATES,
            "template": templates.first(),
        } | dict(initial or {})
        super().__init__(data, initial=initial, prefix=prefix)
        self.user = user
        self.fields["template"].queryset = templates
        self.fields["model"].queryset = RegisteredModel.objects.filter(
            state=RegisteredModel.State.ALLOWED, kind=Kind.CHECKPOINT.value
        )
        self.fields["profile"].queryset = GenerationProfile.objects.filter(live=True)
        if not self.fields["profile"].queryset.exists():
            del self.fields["profile"]
        self._offer_collections()
        self.routes = offer_purposes(self)
        self.only_model: RegisteredModel | None = None
        self.chosen_template = self._chosen_template()
        self.variable_names = self._add_variables()
        if self.chosen_template is None:
            self._require_words_and_model()
        self._grey_out_unsupported()

    def _grey_out_unsupported(self) -> None:
        """Where one model alone is possible, what its engine cannot follow says so."""
        if self.only_model is None:
            return
        capabilities = abilities_if_known(self.only_model)
        for name, reason in (unsupported(capabilities) if capabilities else {}).items():
            if name in self.fields:
                self.fields[name].disabled = True
                self.fields[name].help_text = reason

    def _offer_collections(self) -> None:
        collections = collections_for(self.user, "generate")
        found = list(collections[:2])
        if not found:
            raise PermissionDenied
        self.only_collection = found[0] if len(found) == 1 else None
        if self.only_collection:
            del self.fields["collection"]
        else:
            self.fields["collection"].queryset = collections

    def _chosen_template(self) -> PromptTemplate | None:
        value = self["template"].value()
        if isinstance(value, PromptTemplate):
            return value
        try:
            return self.fields["template"].clean(value)
        except forms.ValidationError:
            return None

    def _add_variables(self) -> tuple[str, ...]:
        if self.chosen_template is None:
            return ()
        fields = variable_fields(self.chosen_template)
        self.fields.update(fields)
        return tuple(fields)

    def _require_words_and_model(self) -> None:
        self.fields["prompt"].required = True
        models = list(self.fields["model"].queryset[:2])
        if len(models) == 1:
            self.only_model = models[0]
        elif self.routes:
            self.fields["model"].empty_label = _("As the purpose says")
        else:
            self.fields["model"].required = not self._profile_names_model()

    def _profile_names_model(self) -> bool:
        slug = self["profile"].value() if "profile" in self.fields else None
        return GenerationProfile.objects.filter(slug=slug, model__isnull=False).exists()

    def subject_fields(self) -> list[forms.BoundField]:
        """What is asked about the picture: the variables of the template, or the prompt."""
        names = self.variable_names if self.chosen_template else ("prompt",)
        return [self[name] for name in names]

    def place_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.PLACE if name in self.fields]

    def detail_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.DETAILS if name in self.fields]

    @property
    def opens_details(self) -> bool:
        """Whether the details hold something that needs attention now."""
        needs_model = self.fields["model"].required and not self["model"].value()
        return needs_model or any(name in self.errors for name in self.DETAILS)

    def clean_model(self) -> RegisteredModel | None:
        """The only one there is, unless the profile names one."""
        only = None if self._profile_names_model() else self.only_model
        return self.cleaned_data["model"] or only

    def clean_prompt(self) -> str:
        words = self.cleaned_data["prompt"]
        if self.chosen_template is None:
            try:
                check_length(tidy(words), max_length=get_settings().MAX_PROMPT_LENGTH)
            except PromptError as error:
                raise forms.ValidationError(str(error), code=error.code) from error
        return words

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        if self.errors:
            return values
        try:
            brief = values["brief"] = self.brief()
            chosen = {name: values[name] for name in ("title", "template", "model")}
            make_plan(brief, **chosen)
        except (PromptError, InvalidBrief) as error:
            for name in self._culprits(error):
                self.add_error(name, str(error))
        return values

    def _culprits(self, error: Exception) -> list[str | None]:
        """The fields that can mend the error; ``None`` is the form as a whole."""
        if isinstance(error, InvalidBrief):
            return [error.field if error.field in self.fields else None]
        if isinstance(error, MissingVariable):
            return [VARIABLE_PREFIX + name for name in error.names]
        if len(self.cleaned_data.get("negative") or "") > get_settings().MAX_PROMPT_LENGTH:
            return ["negative"]
        if self.chosen_template is None:
            return ["prompt"]
        if isinstance(error, PromptTooLong) and self.variable_names:
            return [max(self.variable_names, key=lambda name: len(self.cleaned_data[name]))]
        return ["template"]

    def brief(self) -> Brief:
        """What was filled in, as the workflow understands it."""
        values = self.cleaned_data
        variables = {n.removeprefix(VARIABLE_PREFIX): values[n] for n in self.variable_names}
        return Brief(
            variables=variables,
            prompt=None if values["template"] else values["prompt"],
            negative=values["negative"] or None,
            profile=profile.slug if (profile := values.get("profile")) else None,
            candidates=values["candidates"],
            seed=values["seed"],
            width=values["width"],
            height=values["height"],
            purpose=values.get("purpose") or None,
        )

    def start(self) -> Run:
        """Queue the run. Raises ``PermissionDenied``; call it on a valid form."""
        values = self.cleaned_data
        run = Run(
            title=values["title"],
            template=values["template"],
            model=values["model"],
            collection=values.get("collection") or self.only_collection,
            priority=values["priority"],
            deadline=values.get("deadline"),
            idempotency_key=idempotency_key(self.identity()),
        )
        return StartRun(run, self.user, brief=values["brief"]).execute()

    def identity(self) -> dict[str, Any]:
        """What was written on the form."""
        return {name: value for name, value in self.cleaned_data.items() if name != "brief"}
