"""`page.hero` in a template, without loading the image: its key is enough for a managed one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.template import Context, Variable, VariableDoesNotExist
from django.template.base import FilterExpression
from wagtail.images.models import AbstractImage

from imagepipe.delivery.uses import ImageUse


@dataclass(frozen=True)
class UnloadedImage:
    """A foreign key to an image that nobody has followed yet."""

    pk: Any
    use: ImageUse
    load: Callable[[], Any]


class ImageExpression:
    """A template expression that stops before a foreign key to an image."""

    def __init__(self, expression: FilterExpression) -> None:
        self.expression = expression
        self.holder, self.name = _split(expression)

    def resolve(self, context: Context) -> Any:
        found = self._unloaded(context)
        return self.expression.resolve(context) if found is None else found

    def _unloaded(self, context: Context) -> UnloadedImage | None:
        if self.holder is None:
            return None
        try:
            holder = self.holder.resolve(context)
        except VariableDoesNotExist:
            return None
        return unloaded_image(holder, self.name)


def unloaded_image(holder: Any, name: str) -> UnloadedImage | None:
    """The image in a foreign key of an object; None if it is loaded, empty or no such key."""
    field = _image_key(holder, name)
    if field is None or field.is_cached(holder) or getattr(holder, field.attname) is None:
        return None
    use = getattr(field, "use", None)
    return UnloadedImage(
        getattr(holder, field.attname),
        use(holder) if callable(use) else ImageUse(),
        lambda: getattr(holder, field.name),
    )


def _split(expression: FilterExpression) -> tuple[Variable | None, str]:
    """``page.hero`` is ``page`` and ``hero``; filters and single names are left alone."""
    lookups = getattr(expression.var, "lookups", None)
    if expression.filters or not lookups or len(lookups) < 2:
        return None, ""
    return Variable(".".join(lookups[:-1])), lookups[-1]


def _image_key(holder: Any, name: str) -> Any:
    if not isinstance(holder, models.Model):
        return None
    try:
        field = holder._meta.get_field(name)
    except FieldDoesNotExist:
        return None
    is_key = isinstance(field, models.ForeignKey) and field.name == name
    return field if is_key and issubclass(field.related_model, AbstractImage) else None
