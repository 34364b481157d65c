"""`page.hero` in a template, without loading the image: its key is enough for a managed one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.template import Context, TemplateSyntaxError, Variable, VariableDoesNotExist
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
        """With ``DEBUG``, raises TemplateSyntaxError for a name that does not exist."""
        found = self._unloaded(context)
        if found is not None:
            return found
        if settings.DEBUG:
            _require_names(self.expression, context)
        return self.expression.resolve(context)

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


def _require_names(expression: FilterExpression, context: Context) -> None:
    """A part of the way may be empty: ``page.promotion.picture`` without a promotion."""
    lookups = getattr(expression.var, "lookups", None)
    if expression.filters or not lookups:
        return
    for length in range(1, len(lookups) + 1):
        name = ".".join(lookups[:length])
        try:
            if Variable(name).resolve(context) in (None, ""):
                return
        except VariableDoesNotExist as error:
            raise TemplateSyntaxError(
                f"There is no {name!r} here to take the picture {expression.token!r} from. "
                f"Write an if around it, or |default:None, where it may be missing."
            ) from error


def _image_key(holder: Any, name: str) -> Any:
    if not isinstance(holder, models.Model):
        return None
    try:
        field = holder._meta.get_field(name)
    except FieldDoesNotExist:
        return None
    is_key = isinstance(field, models.ForeignKey) and field.name == name
    return field if is_key and issubclass(field.related_model, AbstractImage) else None
