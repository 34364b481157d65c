"""The form that makes a region of a picture anew, or takes the whole a little further."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib.auth.models import AbstractBaseUser
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from imagepipe.conf import get_settings
from imagepipe.generation.request import Mode
from imagepipe.views.edit_forms import EditForm, share_field
from imagepipe.views.edited_picture import EditedPicture
from imagepipe.workflow import masks
from imagepipe.workflow.edits import Edit
from imagepipe.workflow.exceptions import InvalidBrief
from imagepipe.workflow.production import MAX_CANDIDATES

LONGEST_MASK = len(masks.DATA_URL) + masks.MAX_BYTES * 4 // 3 + 4


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
    box_left = share_field(gettext_lazy("Left (%)"))
    box_top = share_field(gettext_lazy("Top (%)"))
    box_width = share_field(gettext_lazy("Width (%)"))
    box_height = share_field(gettext_lazy("Height (%)"))

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
