"""What was drawn or given for a run beside words, kept so that it can be used again."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from imagepipe.workflow.models import Run
from imagepipe.workflow.source_pictures import UPLOAD, SourcePicture


class Guide(models.Model):
    """A mask or a control picture, under the hash of its bytes.

    Who may see the run may use it; what it means is what its run was asked for.
    """

    class Kind(models.TextChoices):
        MASK = "mask", _("Mask")
        CONTROL = "control", _("Picture to follow")

    kind = models.CharField(max_length=8, choices=Kind.choices)
    sha256 = models.CharField(max_length=64, db_index=True)
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="guides")
    """The first run of its collection that used it."""
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    """Pixels of the control picture, or of the picture that the mask was drawn for."""
    ready = models.BooleanField(default=False)
    """Whether it was followed as it is; else edges were found in it first."""
    created_at = models.DateTimeField(auto_now_add=True)

    wagtail_reference_index_ignore = True

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("guide")
        verbose_name_plural = _("guides")
        constraints = [
            models.UniqueConstraint(
                fields=["run", "kind", "sha256"], name="imagepipe_guide_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.sha256[:12]}"

    def picture(self) -> SourcePicture:
        """It as something that a brief may name."""
        return SourcePicture(UPLOAD, self.sha256, self.width, self.height)
