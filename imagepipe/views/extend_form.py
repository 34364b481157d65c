"""The form that extends a picture to other shapes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib.auth.models import AbstractBaseUser
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from imagepipe.generation.request import Mode
from imagepipe.views.edit_forms import EditForm, share_field
from imagepipe.views.edited_picture import EditedPicture
from imagepipe.workflow import frames
from imagepipe.workflow.edits import Edit
from imagepipe.workflow.exceptions import InvalidBrief
from imagepipe.workflow.production import MAX_CANDIDATES

SHAPES = ("1:1", "4:5", "9:16", "16:9", "3:1")


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
    room = forms.ChoiceField(
        label=gettext_lazy("New room"),
        choices=[
            ("model", gettext_lazy("Made by the model, from the prompt")),
            ("ground", gettext_lazy("The ground goes on softly, without a model")),
        ],
        required=False,
        widget=forms.RadioSelect,
        help_text=gettext_lazy("Without a model nothing new appears: good for plain grounds."),
    )
    across = share_field(gettext_lazy("Place of the picture, left to right (%)"))
    down = share_field(gettext_lazy("Place of the picture, top to bottom (%)"))
    side_left = share_field(gettext_lazy("Left (%)"), highest=400)
    side_top = share_field(gettext_lazy("Top (%)"), highest=400)
    side_right = share_field(gettext_lazy("Right (%)"), highest=400)
    side_bottom = share_field(gettext_lazy("Bottom (%)"), highest=400)

    SIDES = ("side_left", "side_top", "side_right", "side_bottom")

    def __init__(
        self, user: AbstractBaseUser, picture: EditedPicture, data: Any = None
    ) -> None:
        super().__init__(user, picture, data)
        self.initial |= {"across": 50, "down": 50, "room": self._usual_room()}
        if self["room"].value() == "ground":
            self.fields["prompt"].required = False
        for name in ("across", "down", *self.SIDES):
            attrs = self.fields[name].widget.attrs
            attrs["data-action"] = "input->imagepipe-extend#draw"
        for name in ("across", "down"):
            self.fields[name].widget.input_type = "range"

    def _usual_room(self) -> str:
        """As the model's own parameter ``new_room`` says: “model” or “ground”."""
        model = self.initial["model"]
        own = model.defaults if model and isinstance(model.defaults, dict) else {}
        return "ground" if own.get("new_room") == "ground" else "model"

    def clean_prompt(self) -> str:
        """Without a model words are for those who look for the picture later."""
        return str(self.cleaned_data["prompt"]) or self.picture.title

    def ask_for(self, shape: str) -> None:
        """Start with a shape; what is none is passed over."""
        try:
            frames.parse_shape(shape)
        except InvalidBrief:
            return
        if shape in SHAPES:
            self.initial["shapes"] = [shape]
        else:
            self.initial["other"] = shape

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
            str(Mode.OUTPAINT),
            source,
            feather=values["feather"],
            frames=tuple(found),
            ground=values["room"] == "ground",
        )

    def add_error(self, field: str | None, error: Any) -> None:
        """What is wrong with the shapes as a whole belongs to the first of their fields."""
        super().add_error("shapes" if field == "frames" else field, error)
