"""Wagtail's renditions, of a picture that the edge delivers: nothing is drawn or stored."""

from __future__ import annotations

import copy
from typing import Any

from django.db.models.fields.files import FieldFile
from wagtail.images.models import AbstractImage, AbstractRendition, Filter

from imagepipe.delivery.addresses import edge_url
from imagepipe.delivery.documents import scene_of
from imagepipe.delivery.shown import ShownPicture
from imagepipe.delivery.wagtail_filters import Rendering, read_filter
from imagepipe.urlspec import plan


class EdgeFile(FieldFile):
    """A file that lies at the edge."""

    address = ""

    @property
    def url(self) -> str:
        return self.address


class DeliveredImage:
    """What Wagtail's tags need of an image: its renditions, by filter specification."""

    def __init__(self, image: AbstractImage, shown: ShownPicture) -> None:
        self.document = shown.document or {}
        self.image = copy.copy(image)
        self.image.contextual_alt_text = shown.alt
        self.image.decorative = not shown.alt

    def get_rendition(self, spec: str | Filter) -> AbstractRendition:
        """One that is not saved, or Wagtail's own where the edge has no word for the filter."""
        text = spec if isinstance(spec, str) else spec.spec
        rendering = read_filter(text, (self.document["width"], self.document["height"]))
        if rendering is None:
            return self.image.get_rendition(spec)
        return self._rendition(text, rendering)

    def get_renditions(self, *specs: str | Filter) -> dict[str, AbstractRendition]:
        return {
            spec if isinstance(spec, str) else spec.spec: self.get_rendition(spec)
            for spec in specs
        }

    def _rendition(self, spec: str, rendering: Rendering) -> AbstractRendition:
        document = self.document
        source = document["width"], document["height"]
        size = plan(*source, rendering.transform, scene_of(document))
        model = self.image.renditions.model
        rendition: Any = model(image=self.image, filter_spec=spec)
        rendition.width, rendition.height = size.width, size.height
        file = EdgeFile(rendition, model._meta.get_field("file"), document["slug"])
        file.address = edge_url(document, rendering.transform, rendering.extension)
        rendition.__dict__["file"] = file
        return rendition
