"""The crops that people gave a version of a picture, earlier ones kept."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from imagepipe.assets.models import AssetVersion
from imagepipe.urlspec.transform import REGION_SCALE, Region


class NamedCrop(models.Model):
    """One part of one version, by name, in 1/10000 of its width and height.

    A row never moves: another crop of the same name gets a row of its own, and this one its
    ``replaced_at``. A new version of the picture starts without crops.
    """

    version = models.ForeignKey(AssetVersion, on_delete=models.CASCADE, related_name="crops")
    name = models.CharField(max_length=40, verbose_name=_("name"))
    left = models.PositiveSmallIntegerField()
    top = models.PositiveSmallIntegerField()
    width = models.PositiveSmallIntegerField()
    height = models.PositiveSmallIntegerField()
    created_at = models.DateTimeField(auto_now_add=True, verbose_name=_("created"))
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("created by"),
    )
    replaced_at = models.DateTimeField(null=True, blank=True)
    """When another crop, or none, took its place; empty: it is the one in use."""

    wagtail_reference_index_ignore = True

    class Meta:
        ordering = ["name", "-pk"]
        verbose_name = _("crop")
        verbose_name_plural = _("crops")
        constraints = [
            models.UniqueConstraint(
                fields=["version", "name"],
                condition=models.Q(replaced_at__isnull=True),
                name="imagepipe_crop_in_use",
            ),
            models.CheckConstraint(
                condition=models.Q(width__gt=0, height__gt=0)
                & models.Q(left__lte=REGION_SCALE - models.F("width"))
                & models.Q(top__lte=REGION_SCALE - models.F("height")),
                name="imagepipe_crop_inside",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.version} {self.name}"

    @property
    def region(self) -> Region:
        return self.left, self.top, self.width, self.height


def crops_of(version: AssetVersion) -> dict[str, Region]:
    """The crops in use, by name."""
    rows = version.crops.filter(replaced_at__isnull=True).order_by("name")
    return {row.name: row.region for row in rows}
