"""The pictures to follow, several at once: a file, one of the library, or a drawing."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.images import get_image_model
from wagtail.images.widgets import AdminImageChooser

from imagepipe.assets.exceptions import UnusablePicture
from imagepipe.assets.models import Asset
from imagepipe.registry.kinds import Kind
from imagepipe.registry.models import RegisteredModel
from imagepipe.views.edited_picture import EditedPicture, open_edited
from imagepipe.workflow import masks
from imagepipe.workflow.conditions import MAX_WEIGHT, ControlWish
from imagepipe.workflow.exceptions import InvalidBrief
from imagepipe.workflow.guide_models import Guide
from imagepipe.workflow.source_pictures import SourcePicture

ROWS = 3
LONGEST_DRAWING = 700_000
"""Characters: several drawings have to fit into one form."""
NAMES = (
    "control", "control_picture", "control_image", "control_drawn", "control_ready",
    "control_weight", "control_start", "control_end",
)  # fmt: skip


def number_field(
    label: Any, lowest: float, highest: float, initial: Any = None
) -> forms.FloatField:
    return forms.FloatField(
        label=label, required=False, min_value=lowest, max_value=highest, initial=initial,
        widget=forms.NumberInput(attrs={"step": "any"}),
    )  # fmt: skip


def control_fields(models: Any, *, with_library: bool) -> dict[str, forms.Field]:
    """Fields of one row, by their names without a suffix."""
    found: dict[str, forms.Field] = {
        "control": forms.ModelChoiceField(
            models,
            label=gettext_lazy("Follow a picture"),
            required=False,
            empty_label=gettext_lazy("No"),
            help_text=gettext_lazy("Keeps the edges, depth or pose of another picture."),
        ),
        "control_picture": forms.FileField(
            label=gettext_lazy("Picture to follow"),
            required=False,
            widget=forms.FileInput(attrs={"accept": "image/*"}),
        ),
        "control_image": forms.ModelChoiceField(
            get_image_model().objects.all(),
            label=gettext_lazy("Or a picture of the library"),
            required=False,
            widget=AdminImageChooser,
        ),
        "control_drawn": forms.CharField(
            required=False,
            max_length=LONGEST_DRAWING,
            widget=forms.HiddenInput(
                attrs={"autocomplete": "off", "data-imagepipe-mask-target": "value"}
            ),
            error_messages={
                "max_length": gettext_lazy("The drawing is too detailed. Draw a simpler one.")
            },
        ),
        "control_ready": forms.BooleanField(
            label=gettext_lazy("It is drawn already: white on black"),
            required=False,
            help_text=gettext_lazy("Otherwise its edges are found first."),
        ),
        "control_weight": number_field(gettext_lazy("Weight"), 0, MAX_WEIGHT, 1),
        "control_start": number_field(gettext_lazy("From (% of the steps)"), 0, 99, 0),
        "control_end": number_field(gettext_lazy("Until (% of the steps)"), 1, 100, 100),
    }
    if not with_library:
        del found["control_image"]
    return found


def controlnets() -> Any:
    return RegisteredModel.objects.filter(
        state=RegisteredModel.State.ALLOWED, kind=Kind.CONTROLNET.value
    )


@dataclass(frozen=True)
class ControlRow:
    """One picture to follow on a form.

    ``kept`` or else ``followed`` is what is taken where nothing is given.
    """

    form: forms.Form
    number: int
    followed: EditedPicture | None = None
    kept: Guide | None = None

    @property
    def suffix(self) -> str:
        return "" if self.number == 1 else f"_{self.number}"

    def _bound(self, *names: str) -> list[forms.BoundField]:
        known = [name + self.suffix for name in names]
        return [self.form[name] for name in known if name in self.form.fields]

    @property
    def model(self) -> forms.BoundField:
        return self.form["control" + self.suffix]

    @property
    def drawn(self) -> forms.BoundField:
        return self.form["control_drawn" + self.suffix]

    def sources(self) -> list[forms.BoundField]:
        return self._bound("control_picture", "control_image")

    def settings(self) -> list[forms.BoundField]:
        return self._bound("control_ready", *NAMES[5:])

    @property
    def is_open(self) -> bool:
        """Whether it holds something, so that it has to be seen."""
        if any(name + self.suffix in self.form.errors for name in NAMES):
            return True
        return bool(self.model.value() or self.drawn.value())

    def wish(self, values: Mapping[str, Any], user: AbstractBaseUser) -> ControlWish | None:
        """What is to be followed. Raises ``InvalidBrief`` with the field of this row."""
        model = values["control" + self.suffix]
        if model is None:
            return None
        source, is_drawing = self._source(values, user)

        def share(name: str, otherwise: float) -> float:
            value = values[name + self.suffix]
            return otherwise if value is None else value / 100

        weight = values["control_weight" + self.suffix]
        return ControlWish(
            model.slug,
            source,
            computed=not (is_drawing or values["control_ready" + self.suffix]),
            weight=1.0 if weight is None else weight,
            start=share("control_start", 0.0),
            end=share("control_end", 1.0),
        )

    def _source(
        self, values: Mapping[str, Any], user: AbstractBaseUser
    ) -> tuple[SourcePicture, bool]:
        field = "control_picture" + self.suffix
        file, drawn = values[field], values["control_drawn" + self.suffix]
        image = values.get("control_image" + self.suffix)
        if sum(map(bool, (file, image, drawn))) > 1:
            raise InvalidBrief(
                _("Give one picture: a file, one of the library, or a drawing."), field
            )
        if file:
            return upload(file.open().read(), field), False
        if drawn:
            try:
                content = masks.from_data_url(drawn)
            except InvalidBrief as error:
                raise InvalidBrief(
                    _("The drawing cannot be read. Draw it again."), field
                ) from error
            return upload(content, field), True
        if image:
            return picture_of(image, user, field), False
        if self.kept is not None:
            return self.kept.picture(), self.kept.ready
        if self.followed is not None:
            return self.followed.source, False
        raise InvalidBrief(_("Give the picture that is to be followed."), field)


def upload(content: bytes, field: str) -> SourcePicture:
    """Keep a file. Raises ``InvalidBrief`` for one that is no usable picture."""
    try:
        return SourcePicture.of_upload(content)
    except UnusablePicture as error:
        raise InvalidBrief(str(error), field) from error


def picture_of(image: Any, user: AbstractBaseUser, field: str) -> SourcePicture:
    """The published version behind an image of the library. Raises ``InvalidBrief``."""
    asset = Asset.objects.filter(image_id=image.pk).select_related("published_version").first()
    version = asset and (asset.published_version or asset.versions.order_by("-number").first())
    if asset is None or version is None:
        raise InvalidBrief(
            _("This image was not taken over into the Studio. Give it as a file."), field
        )
    try:
        return open_edited(user, uuid.UUID(str(asset.uid)), version.number).source
    except (Http404, PermissionDenied):
        raise InvalidBrief(
            _("You may not look at this picture in the Studio. Give another one."), field
        ) from None
