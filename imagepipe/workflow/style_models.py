"""The library of styles: pictures of our own that others may be made after."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from imagepipe.assets.models import AssetVersion


class Style(models.Model):
    """A cleared picture under a name. Its rights are asked for again whenever it is used."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(max_length=80, unique=True, verbose_name=_("name"))
    words = models.CharField(
        max_length=300,
        blank=True,
        verbose_name=_("in words"),
        help_text=_("Said to models that cannot follow pictures: soft watercolour, pale blue."),
    )
    version = models.ForeignKey(
        AssetVersion, on_delete=models.PROTECT, related_name="+", verbose_name=_("picture")
    )
    weight = models.FloatField(default=0.6, verbose_name=_("weight"))
    """How strongly pictures follow it, 0 to 1."""
    retired_at = models.DateTimeField(null=True, blank=True, verbose_name=_("retired"))
    created_at = models.DateTimeField(auto_now_add=True, verbose_name=_("created"))
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )

    wagtail_reference_index_ignore = True

    class Meta:
        ordering = ["name"]
        verbose_name = _("style")
        verbose_name_plural = _("styles")

    def __str__(self) -> str:
        return self.name
