"""`AIImageField`: a foreign key to the project's images that knows how each use looks."""

from __future__ import annotations

import copy
from typing import Any

from django.core import checks
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.fields.related_descriptors import ForwardManyToOneDescriptor
from wagtail.images import get_image_model_string

from imagepipe.delivery.profiles import (
    DEFAULT_PROFILE,
    ImageProfile,
    check_profile,
    get_profile,
)
from imagepipe.delivery.use_requirements import missing_for_use
from imagepipe.delivery.uses import ImageUse, InvalidUse, apply_use, use_of

_DEFERRED = "_imagepipe_deferred"


class AIImageDescriptor(ForwardManyToOneDescriptor):
    """Reads and writes the image together with what this object says about its use."""

    field: AIImageField

    def __get__(self, instance: Any, cls: Any = None) -> Any:
        image = super().__get__(instance, cls)
        if instance is None or image is None:
            return image
        use = self.field.use(instance)
        if use_of(image) != use:
            # Others may hold the same instance, with another use: see prefetch_related.
            image = copy.copy(image)
            apply_use(image, use)
            self.field.set_cached_value(instance, image)
        image.__dict__.setdefault("contextual_crop", None)
        image.__dict__.setdefault("contextual_crops", {})
        return image

    def __set__(self, instance: Any, value: Any) -> None:
        field = self.field
        is_new = field.attname not in instance.__dict__  # only while Model.__init__ runs
        before = instance.__dict__.get(field.attname)
        super().__set__(instance, value)
        use = ImageUse() if value is None else use_of(value)
        changed = not is_new and before != instance.__dict__[field.attname]
        if use != ImageUse() or changed:
            setattr(instance, field.use_name, use.to_dict())


class AIImageField(models.ForeignKey):
    """A picture on a page or snippet, with a profile of the settings.

    The field adds a second column, ``<name>_use`` (JSON): the alternative text of this use,
    whether it is decorative here, and its crop. Reading the field gives the image with
    ``contextual_alt_text``, ``decorative`` and ``contextual_crop`` set accordingly; assigning
    an image that carries them stores them. Another image resets them.
    """

    forward_related_accessor_class = AIImageDescriptor

    def __init__(
        self,
        to: Any = None,
        on_delete: Any = models.SET_NULL,
        *,
        profile: str = DEFAULT_PROFILE,
        **kwargs: Any,
    ) -> None:
        self.profile_name = profile
        # Made first, so that it sorts before this field and Model.__init__ sets it first.
        self._use_field = models.JSONField(default=dict, blank=True, editable=False)
        kwargs.setdefault("null", True)
        kwargs.setdefault("blank", True)
        kwargs.setdefault("related_name", "+")
        super().__init__(to or get_image_model_string(), on_delete, **kwargs)

    @property
    def use_name(self) -> str:
        """Name of the column with the data of the use."""
        return f"{self.name}_use"

    @property
    def profile(self) -> ImageProfile:
        """Raises UnknownProfile, InvalidProfile."""
        return get_profile(self.profile_name)

    def use(self, instance: models.Model) -> ImageUse:
        """What an object says about its use; nothing where that cannot be read."""
        try:
            return ImageUse.from_dict(getattr(instance, self.use_name, None))
        except InvalidUse:
            return ImageUse()

    def deconstruct(self) -> tuple[str, str, list[Any], dict[str, Any]]:
        name, path, args, kwargs = super().deconstruct()
        if str(kwargs.get("to", "")).lower() == get_image_model_string().lower():
            del kwargs["to"]  # whichever image model the project has
        # Our defaults are not Django's, which leaves out its own.
        kwargs |= {"null": self.null, "blank": self.blank, "related_name": self._related_name}
        if self.profile_name != DEFAULT_PROFILE:
            kwargs["profile"] = self.profile_name
        return name, path, list(args), kwargs

    def contribute_to_class(self, cls: Any, name: str, *args: Any, **kwargs: Any) -> None:
        super().contribute_to_class(cls, name, *args, **kwargs)
        in_migration = cls.__module__ == "__fake__"
        present = {field.name for field in cls._meta.local_fields}
        if not in_migration and self.use_name not in present:
            cls.add_to_class(self.use_name, copy.deepcopy(self._use_field))

    def check(self, **kwargs: Any) -> list[checks.CheckMessage]:
        return [*super().check(**kwargs), *check_profile(self.profile_name, self)]

    def formfield(self, **kwargs: Any) -> Any:
        from wagtail.images.widgets import AdminImageChooser

        from imagepipe.formfields import AIImageFormField
        from imagepipe.widgets import AIImageChooser

        if kwargs.get("widget") is AdminImageChooser:
            kwargs["widget"] = AIImageChooser
        widget = kwargs.get("widget")
        if isinstance(widget, AIImageChooser) or widget is AIImageChooser:
            kwargs |= {"form_class": AIImageFormField, "profile_name": self.profile_name}
        return super().formfield(**kwargs)

    def save_form_data(self, instance: models.Model, data: Any) -> None:
        """Take over the form's image; a draft may leave its use incomplete."""
        deferred = instance.__dict__.setdefault(_DEFERRED, set())
        deferred.discard(self.name)
        if getattr(data, _DEFERRED, False):
            deferred.add(self.name)
        super().save_form_data(instance, data)

    def validate(self, value: Any, model_instance: models.Model | None) -> None:
        super().validate(value, model_instance)
        if value is None or model_instance is None:
            return
        if self.name in model_instance.__dict__.get(_DEFERRED, ()):
            return
        validate_use(value, getattr(model_instance, self.use_name, None), self.profile)


def validate_use(image_id: Any, data: Any, profile: ImageProfile) -> None:
    """Raise ValidationError that names everything missing for publication."""
    try:
        use = ImageUse.from_dict(data)
    except InvalidUse as error:
        raise ValidationError(str(error), code="use") from error
    if missing := missing_for_use(image_id, use, profile):
        raise ValidationError(
            [ValidationError(text, code=code) for code, text in missing.items()]
        )
