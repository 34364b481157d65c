from __future__ import annotations

import uuid
from decimal import Decimal

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

PRICES = (MinValueValidator(0), MaxValueValidator(9_999))


class Engine(models.Model):
    """A server elsewhere that makes pictures, under the name that models refer to."""

    class Kind(models.TextChoices):
        AUTOMATIC1111 = "automatic1111", "AUTOMATIC1111 / Forge"
        COMFYUI = "comfyui", "ComfyUI"
        OPENAI_IMAGES = "openai-images", _("OpenAI images API")

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.SlugField(
        max_length=40,
        unique=True,
        verbose_name=_("name"),
        help_text=_("Models name their engine by it; it cannot be changed later."),
    )
    kind = models.CharField(max_length=20, choices=Kind.choices, verbose_name=_("kind"))
    address = models.CharField(
        max_length=500,
        verbose_name=_("address"),
        help_text=_("For example http://127.0.0.1:7860; only this server is talked to."),
    )
    sealed_key = models.TextField(blank=True, editable=False)
    """See :mod:`imagepipe.generation.sealing`; bound to this engine and its address."""
    options = models.JSONField(
        default=dict,
        blank=True,
        verbose_name=_("options"),
        help_text=_("As JSON; the reference of the backends lists them for each kind."),
    )
    concurrent = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        verbose_name=_("runs at a time"),
        help_text=_("Empty: no limit."),
    )
    per_minute = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        verbose_name=_("runs per minute"),
        help_text=_("Empty: no limit."),
    )
    price_per_picture = models.DecimalField(
        max_digits=10,
        decimal_places=6,
        default=Decimal(0),
        validators=PRICES,
        verbose_name=_("price of a picture"),
        help_text=_("Estimates and quotas of money count it; 0: free."),
    )
    price_per_second = models.DecimalField(
        max_digits=10,
        decimal_places=6,
        default=Decimal(0),
        validators=PRICES,
        verbose_name=_("price of a second"),
        help_text=_("Of the time that the engine works on a picture; 0: free."),
    )
    enabled = models.BooleanField(default=True, verbose_name=_("enabled"))
    changed_at = models.DateTimeField(auto_now=True, verbose_name=_("changed"))

    wagtail_reference_index_ignore = True

    class Meta:
        ordering = ["name"]
        verbose_name = _("engine")
        verbose_name_plural = _("engines")

    def __str__(self) -> str:
        return self.name

    @property
    def has_key(self) -> bool:
        return bool(self.sealed_key)
