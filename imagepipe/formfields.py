"""Form fields for a picture together with its use."""

from __future__ import annotations

import copy
from functools import cached_property
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from wagtail.permissions import policy_registry

from imagepipe.assets.models import Asset
from imagepipe.delivery.profiles import get_profile
from imagepipe.delivery.use_requirements import missing_for_use
from imagepipe.delivery.uses import (
    MAX_ALT_LENGTH,
    ImageUse,
    InvalidUse,
    apply_use,
    crop_value,
    read_crops,
    use_of,
)
from imagepipe.widgets import ChosenImage, CropInput


class CropField(forms.Field):
    """A crop as four shares of the picture, or crops by name; empty for the whole picture."""

    widget = CropInput
    default_error_messages = {
        "invalid": _(
            "This is no part of the picture: left, top, width and height lie between 0 and "
            "100 per cent, the part stays inside the picture and is at least 1 per cent wide "
            "and high."
        )
    }

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("label", _("Crop for this use"))
        super().__init__(**kwargs)

    def to_python(self, value: Any) -> Any:
        try:
            return crop_value(*read_crops(value))
        except InvalidUse as error:
            raise ValidationError(self.error_messages["invalid"], code="invalid") from error


class BoundImageField(forms.BoundField):
    """Starts from the image of the form's object, which knows its use."""

    @cached_property
    def initial(self) -> Any:
        value = self.form.get_initial_for_field(self.field, self.name)
        image = getattr(getattr(self.form, "instance", None), self.name, None)
        return image if image is not None and image.pk == value else value


class AIImageFormField(forms.ModelChoiceField):
    """Cleans to the image with its use; asks for what the profile wants unless deferred."""

    def __init__(self, queryset: Any, *, profile_name: str, **kwargs: Any) -> None:
        self.profile_name = profile_name
        super().__init__(queryset, **kwargs)
        self.widget.profile_name = profile_name

    def get_bound_field(self, form: Any, field_name: str) -> BoundImageField:
        user = getattr(form, "for_user", None)
        if user is not None:
            policy = policy_registry.get_by_type(Asset)
            self.widget.offers_generation = policy.user_has_permission(user, "generate")
        return BoundImageField(form, self, field_name)

    def prepare_value(self, value: Any) -> Any:
        return value

    def has_changed(self, initial: Any, data: Any) -> bool:
        if self.disabled:
            return False
        before = getattr(initial, "pk", initial)
        chosen = ChosenImage.of(data)
        if str(before or "") != str(chosen.pk or ""):
            return True
        if chosen.use is None or before is None:
            return False
        try:
            return use_of(initial).to_dict() != self._use(chosen).to_dict()
        except ValidationError:
            return True

    def clean(self, value: Any) -> Any:
        chosen = ChosenImage.of(value)
        image = super().clean(chosen.pk)
        if image is None:
            return None
        image = copy.copy(image)
        if chosen.use is not None:
            apply_use(image, self._use(chosen))
        image._imagepipe_deferred = getattr(self, "is_deferred_validation", False)
        if chosen.use is not None and not image._imagepipe_deferred:
            missing = missing_for_use(image.pk, use_of(image), get_profile(self.profile_name))
            if missing:
                raise ValidationError(
                    [ValidationError(text, code=code) for code, text in missing.items()]
                )
        return image

    def _use(self, chosen: ChosenImage) -> ImageUse:
        data = chosen.use or {}
        text = forms.CharField(required=False).clean(data.get("alt_text"))
        if len(text) > MAX_ALT_LENGTH:
            raise ValidationError(
                _("The alternative text is longer than %(limit)d characters: shorten it."),
                code="alt-length",
                params={"limit": MAX_ALT_LENGTH},
            )
        crop = CropField(required=False).clean(data.get("crop"))
        return ImageUse(text or None, bool(data.get("decorative")), *read_crops(crop))
