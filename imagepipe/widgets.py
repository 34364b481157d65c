"""Widgets of the page editor: a picture, and how this use of it looks."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from django import forms
from django.db import models
from django.urls import NoReverseMatch, reverse
from django.utils.functional import cached_property
from wagtail.admin.staticfiles import versioned_static
from wagtail.admin.telepath import register
from wagtail.images.widgets import AdminImageChooser, ImageChooserAdapter

from imagepipe.delivery.crop_shapes import CropShape, InvalidShape, crop_shapes
from imagepipe.delivery.presets import UnknownPreset, get_preset
from imagepipe.delivery.profiles import (
    DEFAULT_PROFILE,
    ImageProfile,
    InvalidProfile,
    UnknownProfile,
    get_profile,
)
from imagepipe.delivery.uses import MAX_ALT_LENGTH, crop_value, use_of
from imagepipe.urlspec import InvalidTransform
from imagepipe.workflow.origins import candidate_of


def own_media() -> forms.Media:
    """Scripts and styles of all widgets of this module."""
    return forms.Media(
        js=[
            versioned_static("imagepipe/crop.js"),
            versioned_static("imagepipe/image-field.js"),
        ],
        css={"all": [versioned_static("imagepipe/fields.css")]},
    )


def usable_profile(name: str) -> ImageProfile:
    """That of the settings; the default's options where it cannot be used (see the checks)."""
    try:
        return get_profile(name)
    except (UnknownProfile, InvalidProfile):
        return ImageProfile(name)


def shapes_of(profile: ImageProfile) -> list[CropShape]:
    """The crops that the profile's presets name; none where the settings cannot be used."""
    try:
        shapes = crop_shapes()
        names = dict.fromkeys(get_preset(name).crop for name in profile.presets)
    except (InvalidShape, UnknownPreset, InvalidTransform):
        return []
    return [shapes[name] for name in names if name in shapes]


def details_url() -> str:
    """Where the editor's browser asks what is known of an image; ``/0/`` stands for its key."""
    try:
        return reverse("imagepipe_admin:image_crops", args=["0"])
    except NoReverseMatch:  # a site without the Studio
        return ""


@dataclass(frozen=True)
class ChosenImage:
    """What a form has sent: the image's key and, where the form shows it, its use."""

    pk: Any = None
    use: dict[str, Any] | None = None

    @classmethod
    def of(cls, value: Any) -> ChosenImage:
        if isinstance(value, cls):
            return value
        return cls(value.pk if isinstance(value, models.Model) else value)


class CropInput(forms.Widget):
    """A frame on the picture with a live preview; one hidden input carries crops as JSON."""

    template_name = "imagepipe/widgets/crop.html"

    def __init__(
        self, attrs: dict[str, Any] | None = None, *, profile_name: str = DEFAULT_PROFILE
    ) -> None:
        super().__init__(attrs)
        self.profile_name = profile_name

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        """A list where it is JSON; anything else as it was sent, for the field to refuse."""
        value = data.get(name)
        try:
            return json.loads(value) if isinstance(value, str) and value.strip() else value
        except (ValueError, RecursionError):
            return value

    def format_value(self, value: Any) -> str:
        if value is None or isinstance(value, str):
            return value or ""
        return json.dumps(value)

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> Any:
        context = super().get_context(name, value, attrs)
        profile = usable_profile(self.profile_name)
        context["widget"]["ratios"] = profile.ratios
        context["widget"]["shapes"] = shapes_of(profile)
        context["widget"]["details_url"] = details_url()
        return context

    def id_for_label(self, id_: str) -> str:
        return f"{id_}-left" if id_ else id_

    @property
    def media(self) -> forms.Media:
        return own_media()


class GeneratingImageChooser(AdminImageChooser):
    """Wagtail's image chooser with buttons that open its Generate tab at once."""

    template_name = "imagepipe/widgets/generating_chooser.html"
    profile_name = DEFAULT_PROFILE
    offers_generation = True
    """Off where the person may not generate anything."""

    def __init__(self, *, profile_name: str = DEFAULT_PROFILE, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.profile_name = profile_name

    def get_value_data_from_instance(self, instance: Any) -> Any:
        data = super().get_value_data_from_instance(instance)
        return {**data, "candidate": candidate_of(instance)}

    def get_context(self, name: str, value_data: Any, attrs: Any) -> Any:
        return {
            **super().get_context(name, value_data, attrs),
            "profile": usable_profile(self.profile_name),
            "candidate": value_data.get("candidate") or "",
            "offers_generation": self.offers_generation,
        }

    @property
    def media(self) -> forms.Media:
        return super().media + own_media()


class GeneratingImageChooserAdapter(ImageChooserAdapter):
    """Wagtail's own widget in JavaScript; the buttons are a Stimulus controller."""

    @cached_property
    def media(self) -> forms.Media:
        return super().media + own_media()


register(GeneratingImageChooserAdapter(), GeneratingImageChooser)


class AIImageChooser(GeneratingImageChooser):
    """The same with alternative text, decorative and crop for this use."""

    template_name = "imagepipe/widgets/ai_image_chooser.html"

    def value_from_datadict(self, data: Any, files: Any, name: str) -> ChosenImage:
        pk = super().value_from_datadict(data, files, name)
        if f"{name}-alt_text" not in data:
            return ChosenImage(pk)
        use = {
            "alt_text": data.get(f"{name}-alt_text"),
            "decorative": forms.CheckboxInput().value_from_datadict(
                data, files, f"{name}-decorative"
            ),
            "crop": CropInput().value_from_datadict(data, files, f"{name}-crop"),
        }
        return ChosenImage(pk, use)

    def get_instance(self, value: Any) -> Any:
        try:
            return super().get_instance(value)
        except ValueError:  # what was sent is no key at all
            return None

    def get_value_data(self, value: Any) -> Any:
        chosen = ChosenImage.of(value)
        data = super().get_value_data(value if isinstance(value, models.Model) else chosen.pk)
        if data is None:
            return None
        if isinstance(value, models.Model):
            use = use_of(value)
            data["use"] = {
                "alt_text": use.alt_text or "",
                "decorative": use.decorative,
                "crop": crop_value(use.crop, use.crops),
            }
        else:
            data["use"] = chosen.use or {}
        return data

    def get_context(self, name: str, value_data: Any, attrs: Any) -> Any:
        context = super().get_context(name, value_data, attrs)
        crop = CropInput(profile_name=self.profile_name)
        use = value_data.get("use") or {}
        return {
            **context,
            "name": name,
            "use": use,
            "max_alt_length": MAX_ALT_LENGTH,
            "crop_html": crop.render(
                f"{name}-crop", use.get("crop"), {"id": f"{attrs['id']}-crop"}
            ),
        }
