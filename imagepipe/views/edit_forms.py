"""What all forms ask for that change an existing picture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext_lazy
from wagtail.admin.forms.collections import CollectionChoiceField
from wagtail.models import Collection

from imagepipe.conf import get_settings
from imagepipe.generation.request import Mode
from imagepipe.prompts.exceptions import PromptError
from imagepipe.registry.models import RegisteredModel
from imagepipe.views.access import collections_for
from imagepipe.views.edited_picture import EditedPicture
from imagepipe.views.model_choice import ModelSelect, offer_models
from imagepipe.views.sheets import idempotency_key, sheet_field
from imagepipe.workflow.actions import StartRun
from imagepipe.workflow.briefs import MAX_SEED, Brief, make_plan
from imagepipe.workflow.edits import FEATHER, MAX_FEATHER, Edit
from imagepipe.workflow.exceptions import InvalidBrief
from imagepipe.workflow.models import Run
from imagepipe.workflow.production import MAX_CANDIDATES


def share_field(label: Any, lowest: int = 0, highest: int = 100) -> forms.FloatField:
    return forms.FloatField(
        label=label, required=False, min_value=lowest, max_value=highest,
        widget=forms.NumberInput(attrs={"step": "any"}),
    )  # fmt: skip


class EditForm(forms.Form):
    """What both forms ask for. Raises ``PermissionDenied`` for who may not generate."""

    mode: ClassVar[Mode]

    prompt = forms.CharField(
        label=gettext_lazy("Prompt"),
        strip=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("What the whole picture shall show, in your words."),
        error_messages={
            "required": gettext_lazy("The prompt is empty. Say what the picture shall show.")
        },
    )
    title = forms.CharField(label=gettext_lazy("Brief"), max_length=255)
    collection = CollectionChoiceField(
        label=gettext_lazy("Collection"),
        queryset=Collection.objects.none(),
        empty_label=None,
    )
    model = forms.ModelChoiceField(
        RegisteredModel.objects.none(), label=gettext_lazy("Model"), widget=ModelSelect
    )
    negative = forms.CharField(
        label=gettext_lazy("What must not appear"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    feather = forms.IntegerField(
        label=gettext_lazy("Soft edge in pixels"),
        min_value=0,
        max_value=MAX_FEATHER,
        initial=FEATHER,
        help_text=gettext_lazy("Over so many pixels of the picture old and new fade."),
    )
    seed = forms.IntegerField(
        label=gettext_lazy("Seed"),
        required=False,
        min_value=0,
        max_value=MAX_SEED - MAX_CANDIDATES,
        help_text=gettext_lazy("The same seed makes the same again. Empty: chance decides."),
    )
    sheet = sheet_field()

    DETAILS: tuple[str, ...] = ("model", "negative", "feather", "seed", "title", "collection")

    def __init__(
        self, user: AbstractBaseUser, picture: EditedPicture, data: Any = None
    ) -> None:
        recipe = picture.recipe
        super().__init__(
            data,
            initial={
                "title": picture.title,
                "prompt": recipe.get("prompt", ""),
                "negative": recipe.get("negative_prompt", ""),
            },
        )
        self.user, self.picture = user, picture
        self._offer_collections()
        self.able = offer_models(self.fields["model"], self.mode)
        own = picture.model
        self.initial["model"] = own if own in self.able else next(iter(self.able), None)

    def _offer_collections(self) -> None:
        collections = collections_for(self.user, "generate")
        if not collections.exists():
            raise PermissionDenied
        self.fields["collection"].queryset = collections
        self.initial["collection"] = self.picture.collection.pk
        self.only_collection: Collection | None = None
        if collections.count() == 1:
            self.only_collection = collections.get()
            del self.fields["collection"]

    def detail_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.DETAILS if name in self.fields]

    @property
    def opens_details(self) -> bool:
        return any(name in self.errors for name in self.DETAILS)

    def edit(self, values: Mapping[str, Any]) -> Edit:
        """What is done to the picture. Raises ``InvalidBrief``."""
        raise NotImplementedError

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        if self.errors:
            return values
        try:
            brief = values["brief"] = self._brief(values)
            make_plan(brief, title=values["title"], template=None, model=values["model"])
        except InvalidBrief as error:
            self.add_error(error.field if error.field in self.fields else None, str(error))
        except PromptError as error:
            too_long = len(values["negative"]) > get_settings().MAX_PROMPT_LENGTH
            self.add_error("negative" if too_long else "prompt", str(error))
        return values

    def _brief(self, values: Mapping[str, Any]) -> Brief:
        return Brief(
            prompt=values["prompt"],
            negative=values["negative"] or None,
            candidates=values.get("candidates"),
            seed=values["seed"],
            edit=self.edit(values),
        )

    def start(self) -> Run:
        """Queue the run. Raises ``PermissionDenied``; call it on a valid form."""
        values = dict(self.cleaned_data)
        brief = values.pop("brief")
        run = Run(
            title=values["title"],
            model=values["model"],
            collection=values.get("collection") or self.only_collection,
            idempotency_key=idempotency_key(values | {"of": self.picture.source.sha256}),
        )
        return StartRun(run, self.user, brief=brief).execute()
