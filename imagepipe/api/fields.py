"""A picture in Wagtail's API, version 2.

``api_fields = [APIField("hero", serializer=PictureField("hero"))]``
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from django.db import models
from rest_framework.serializers import Field

from imagepipe.delivery.pictures import load_deliveries
from imagepipe.delivery.presentation import Presentation
from imagepipe.delivery.presets import get_preset
from imagepipe.delivery.representation import represent
from imagepipe.delivery.shown import holder_of, show
from imagepipe.delivery.unloaded import unloaded_image
from imagepipe.delivery.variants import NARROW_MEDIA, ArtDirection, may_show

_LISTED = "_imagepipe_api_listed"


class ImageWithOthers(NamedTuple):
    """An image, and those that may stand in its place."""

    image: Any
    narrow: Any = None
    dark: Any = None


class PictureField(Field):
    """A foreign key to an image as :func:`~imagepipe.delivery.representation.represent` says.

    A list of objects costs one query for all their pictures; no image is loaded. ``narrow`` is
    the preset of narrow viewports; ``narrow_image`` and ``dark_image`` name other fields of the
    object, as in the picture tag.
    """

    def __init__(
        self,
        preset: str = "content",
        *,
        sizes: str = "",
        narrow: str = "",
        narrow_media: str = NARROW_MEDIA,
        narrow_image: str = "",
        dark_image: str = "",
        **options: Any,
    ) -> None:
        self.preset, self.sizes = preset, sizes
        self.narrow, self.narrow_media = narrow, narrow_media
        self.others = narrow_image, dark_image
        super().__init__(**{"read_only": True, **options})

    def get_attribute(self, instance: models.Model) -> Any:
        image = unloaded_image(instance, self.source) or super().get_attribute(instance)
        if image is None or not any(self.others):
            return image
        others = (name and self._image(instance, name) for name in self.others)
        return ImageWithOthers(image, *(other or None for other in others))

    def to_representation(self, value: Any) -> dict[str, Any] | None:
        self._load_all()
        given = value if isinstance(value, ImageWithOthers) else ImageWithOthers(value)
        others = given.narrow, given.dark
        narrow, dark = (may_show(show(self.context, one, beside=others)) for one in others)
        preset = get_preset(self.narrow) if self.narrow else None
        direction = ArtDirection(preset, self.narrow_media, narrow, dark)
        presentation = Presentation(get_preset(self.preset), "", sizes=self.sizes)
        shown = show(self.context, given.image, beside=others)
        return represent(shown, presentation, direction)

    def _image(self, instance: models.Model, name: str) -> Any:
        return unloaded_image(instance, name) or getattr(instance, name)

    def _load_all(self) -> None:
        holder = holder_of(self.context)
        loaded = holder.__dict__.setdefault(_LISTED, set()) if holder else set()
        if holder is None or self.source in loaded:
            return
        loaded.add(self.source)
        keys = {image.pk for image in self._listed() if image is not None}
        holder.__dict__.setdefault("_imagepipe_pictures", {}).update(load_deliveries(keys))

    def _listed(self) -> Iterable[Any]:
        rows = getattr(self.parent.parent, "instance", None)
        if isinstance(rows, Iterable):
            names = [self.source, *filter(None, self.others)]
            return [unloaded_image(row, name) for row in rows for name in names]
        return ()
