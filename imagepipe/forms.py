"""The one funnel of Wagtail's four ways to write an image."""

from __future__ import annotations

import os.path
from collections.abc import Callable
from typing import Any

from django.core.exceptions import SuspiciousFileOperation, ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from wagtail.images.forms import BaseImageForm

from imagepipe.assets.exceptions import UnusablePicture
from imagepipe.workflow import uploads


class ImagepipeFormMixin:
    """Add to the class named by ``WAGTAILIMAGES_IMAGE_FORM_BASE``.

    A new file becomes a draft version. While approval is required its pixels never reach the
    public media: a new image shows a placeholder, a replaced one keeps its published file.
    """

    FILE_FACTS = ("width", "height", "file_size", "file_hash")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._user = kwargs.get("user")
        super().__init__(*args, **kwargs)
        self._old_name = self.instance.file.name if self.instance.pk else ""
        self._old_facts = {name: getattr(self.instance, name) for name in self.FILE_FACTS}
        self._content = b""
        if "file" in self.fields:
            field = self.fields["file"]
            field.to_python = self._inspect_first(field.to_python)

    def _inspect_first(self, to_python: Callable[[Any], Any]) -> Callable[[Any], Any]:
        """Inspect before Wagtail's field opens the file: it fails hard on truncated ones."""

        def inspect(file: Any) -> Any:
            if isinstance(file, UploadedFile):
                file.seek(0)
                content = file.read()
                file.seek(0)
                try:
                    uploads.inspect_upload(content)
                except UnusablePicture as error:
                    raise ValidationError(str(error), code=error.code) from error
                self._content = content
            return to_python(file)

        return inspect

    def save(self, commit: bool = True) -> Any:
        with transaction.atomic():
            if self.instance.pk is None:
                self._save_new()
            elif self._content:
                self._save_replacement()
            image = super().save(commit=commit)
            asset = uploads.asset_of(image)
            if asset is not None and commit:
                alt = "description" in self.changed_data
                uploads.follow_words(asset, image, self._user, alt=alt)
        return image

    def _save_new(self) -> None:
        image, content, stored = self.instance, self._content, ""
        if not content:  # the multiple uploader has put the file on the image by itself
            if not image.file:
                return
            stored = image.file.name
            with image.file.storage.open(stored) as file:
                content = file.read()
        name = os.path.basename(image.file.name)
        try:
            asset = uploads.ingest_new(image, self._user, content, name)
        except UnusablePicture as error:
            raise SuspiciousFileOperation(str(error)) from error
        image._set_image_file_metadata()
        if uploads.approval_required():
            storage = image.file.storage
            uploads.show_placeholder(asset, image)
            self._leave_file_alone()
            if stored:
                storage.delete(stored)
        image._imagepipe_asset = asset

    def _save_replacement(self) -> None:
        image, name = self.instance, os.path.basename(self.instance.file.name)
        self.original_file = None  # Wagtail would delete it at once, and a rollback lose it
        version = uploads.ingest_replacement(
            image, self._user, self._content, name, old_name=self._old_name
        )
        if uploads.approval_required():
            image.file = self._old_name
            for field, value in self._old_facts.items():
                setattr(image, field, value)
            self._leave_file_alone()
        else:
            uploads.stay_live(image, version, self._old_name)

    def _leave_file_alone(self) -> None:
        self.changed_data = [name for name in self.changed_data if name != "file"]


class ImagepipeImageForm(ImagepipeFormMixin, BaseImageForm):
    """Wagtail's image form with versioning."""
