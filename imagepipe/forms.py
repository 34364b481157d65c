"""The one funnel of Wagtail's four ways to write an image."""

from __future__ import annotations

from wagtail.images.forms import BaseImageForm


class ImagepipeFormMixin:
    """Add to the class named by ``WAGTAILIMAGES_IMAGE_FORM_BASE``."""


class ImagepipeImageForm(ImagepipeFormMixin, BaseImageForm):
    """Wagtail's image form with versioning."""
