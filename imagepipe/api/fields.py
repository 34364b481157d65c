"""A picture in Wagtail's API, version 2.

``api_fields = [APIField("hero", serializer=PictureField("hero"))]``
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import models
from rest_framework.serializers import Field

from imagepipe.delivery.markup import Presentation
from imagepipe.delivery.pictures import load_deliveries
from imagepipe.delivery.presets import get_preset
from imagepipe.delivery.representation import represent
from imagepipe.delivery.shown import holder_of, show
from imagepipe.delivery.unloaded import unloaded_image

_LISTED = "_imagepipe_api_listed"


class PictureField(Field):
    """A foreign key to an image as :func:`~imagepipe.delivery.representation.represent` says.

    A list of objects costs one query for all their pictures; no image is loaded.
    """

    def __init__(self, preset: str = "content", *, sizes: str = "", **options: Any) -> None:
        self.preset, self.sizes = preset, sizes
        super().__init__(**{"read_only": True, **options})

    def get_attribute(self, instance: models.Model) -> Any:
        return unloaded_image(instance, self.source) or super().get_attribute(instance)

    def to_representation(self, value: Any) -> dict[str, Any] | None:
        self._load_all()
        presentation = Presentation(get_preset(self.preset), "", sizes=self.sizes)
        return represent(show(self.context, value), presentation)

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
            return [unloaded_image(row, self.source) for row in rows]
        return ()
