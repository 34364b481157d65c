from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class PictureVector(models.Model):
    """What a CLIP sees in a picture, under the hashes of both: it never changes.

    ``vector`` holds little-endian 32-bit floats of length 1.
    """

    sha256 = models.CharField(max_length=64)
    model_sha256 = models.CharField(max_length=64)
    vector = models.BinaryField()
    created_at = models.DateTimeField(auto_now_add=True)

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("picture vector")
        verbose_name_plural = _("picture vectors")
        constraints = [
            models.UniqueConstraint(
                fields=["model_sha256", "sha256"], name="imagepipe_vector_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.sha256[:12]} / {self.model_sha256[:12]}"
