"""The forms that change an existing picture: fix a region of it, or extend it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext as _
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
from imagepipe.workflow import frames, masks
from imagepipe.workflow.actions import StartRun
from imagepipe.workflow.briefs import MAX_SEED, Brief, make_plan
from imagepipe.workflow.edits import FEATHER, MAX_FEATHER, Edit
from imagepipe.workflow.exceptions import InvalidBrief
from imagepipe.workflow.models import Run
from imagepipe.workflow.production import MAX_CANDIDATES

SHAPES = ("1:1", "4:5", "9:16", "16:9", "3:1")
LONGEST_MASK = len(masks.DATA_URL) + masks.MAX_BYTES * 4 // 3 + 4


def _share(label: Any, lowest: int = 0, highest: int = 100) -> forms.FloatField:
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


class RefineForm(EditForm):
    """A region is made anew, or the whole picture is taken further from where it is."""

    mode = Mode.INPAINT
    DETAILS = ("model", "negative", "feather", "surroundings", "seed", "title", "collection")

    what = forms.ChoiceField(
        label=gettext_lazy("What shall be made anew"),
        choices=[
            ("region", gettext_lazy("The region that I mark")),
            ("whole", gettext_lazy("The whole picture, a little")),
        ],
        initial="region",
        widget=forms.RadioSelect(
            attrs={"data-action": "imagepipe-mask#choose", "data-imagepipe-mask-target": "what"}
        ),
    )
    strength = forms.FloatField(
        label=gettext_lazy("How much may change, in per cent"),
        min_value=1,
        max_value=100,
        initial=100,
        widget=forms.NumberInput(attrs={"step": 1, "data-imagepipe-mask-target": "strength"}),
        help_text=gettext_lazy("100: wholly new. Small: close to what is there."),
    )
    candidates = forms.IntegerField(
        label=gettext_lazy("Candidates"),
        min_value=1,
        max_value=MAX_CANDIDATES,
        help_text=gettext_lazy("How many pictures to choose from."),
    )
    surroundings = forms.BooleanField(
        label=gettext_lazy("Look at the region only"),
        required=False,
        help_text=gettext_lazy(
            "The model sees the region and what is around it, larger: finer details, "
            "less of the whole."
        ),
    )
    mask = forms.CharField(
        required=False,
        max_length=LONGEST_MASK,
        widget=forms.HiddenInput(
            attrs={"autocomplete": "off", "data-imagepipe-mask-target": "value"}
        ),
        error_messages={"max_length": gettext_lazy("The mask is too large. Draw it again.")},
    )
    box_left = _share(gettext_lazy("Left (%)"))
    box_top = _share(gettext_lazy("Top (%)"))
    box_width = _share(gettext_lazy("Width (%)"))
    box_height = _share(gettext_lazy("Height (%)"))

    BOX = ("box_left", "box_top", "box_width", "box_height")

    def __init__(
        self, user: AbstractBaseUser, picture: EditedPicture, data: Any = None
    ) -> None:
        super().__init__(user, picture, data)
        self.initial["candidates"] = get_settings().CANDIDATES
        for name in self.BOX:
            self.fields[name].widget.attrs["data-imagepipe-mask-target"] = "box"

    def box_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.BOX]

    def edit(self, values: Mapping[str, Any]) -> Edit:
        strength = values["strength"] / 100
        if values["what"] == "whole":
            return Edit(str(Mode.IMAGE_TO_IMAGE), self.picture.source, strength)
        source = self.picture.source
        drawn = masks.from_data_url(values["mask"]) if values["mask"] else None
        return Edit(
            str(Mode.INPAINT),
            source,
            strength,
            mask=masks.make((source.width, source.height), drawn=drawn, boxes=self._boxes()),
            feather=values["feather"],
            surroundings=values["surroundings"],
        )

    def _boxes(self) -> list[masks.Box]:
        left, top, width, height = (self.cleaned_data.get(name) for name in self.BOX)
        if width is None and height is None:
            return []
        if not width or not height:
            raise InvalidBrief(_("Give the width and the height of the rectangle."), "mask")
        return [((left or 0) / 100, (top or 0) / 100, width / 100, height / 100)]


class ExtendForm(EditForm):
    """The picture on larger canvases: other shapes, or more room on some sides."""

    mode = Mode.OUTPAINT

    shapes = forms.MultipleChoiceField(
        label=gettext_lazy("Shapes"),
        required=False,
        choices=[(shape, shape) for shape in SHAPES],
        widget=forms.CheckboxSelectMultiple(attrs={"data-action": "imagepipe-extend#draw"}),
    )
    other = forms.CharField(
        label=gettext_lazy("Other shapes"),
        required=False,
        max_length=200,
        help_text=gettext_lazy("Proportions with commas between them: 1200x300, 2:3."),
        widget=forms.TextInput(attrs={"data-action": "input->imagepipe-extend#draw"}),
    )
    across = _share(gettext_lazy("Place of the picture, left to right (%)"))
    down = _share(gettext_lazy("Place of the picture, top to bottom (%)"))
    side_left = _share(gettext_lazy("Left (%)"), highest=400)
    side_top = _share(gettext_lazy("Top (%)"), highest=400)
    side_right = _share(gettext_lazy("Right (%)"), highest=400)
    side_bottom = _share(gettext_lazy("Bottom (%)"), highest=400)

    SIDES = ("side_left", "side_top", "side_right", "side_bottom")

    def __init__(
        self, user: AbstractBaseUser, picture: EditedPicture, data: Any = None
    ) -> None:
        super().__init__(user, picture, data)
        self.initial |= {"across": 50, "down": 50}
        for name in ("across", "down", *self.SIDES):
            attrs = self.fields[name].widget.attrs
            attrs["data-action"] = "input->imagepipe-extend#draw"
        for name in ("across", "down"):
            self.fields[name].widget.input_type = "range"

    def place_fields(self) -> list[forms.BoundField]:
        return [self["across"], self["down"]]

    def side_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.SIDES]

    def edit(self, values: Mapping[str, Any]) -> Edit:
        source = self.picture.source
        size = source.width, source.height
        middle = [50 if values[name] is None else values[name] for name in ("across", "down")]
        anchor = middle[0] / 100, middle[1] / 100
        asked = [*values["shapes"], *(s for s in values["other"].split(",") if s.strip())]
        if len(asked) > MAX_CANDIDATES:
            raise InvalidBrief(
                _("At most %(limit)d shapes are possible at once.") % {"limit": MAX_CANDIDATES},
                "other",
            )
        found = [frames.to_shape(size, shape, anchor) for shape in asked]
        sides = {name.partition("_")[2]: (values[name] or 0) / 100 for name in self.SIDES}
        if any(sides.values()):
            found.append(frames.by_sides(size, **sides))
        return Edit(
            str(Mode.OUTPAINT), source, feather=values["feather"], frames=tuple(found)
        )

    def add_error(self, field: str | None, error: Any) -> None:
        """What is wrong with the shapes as a whole belongs to the first of their fields."""
        super().add_error("shapes" if field == "frames" else field, error)
