from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from imagepipe.assets.models import Asset


class RightsRecord(models.Model):
    """Who may show an asset where, when and on which terms."""

    class Persons(models.TextChoices):
        NONE = "none", _("No recognisable persons")
        CONSENT = "consent", _("Consent of all persons on file")
        MISSING = "missing", _("Consent missing")

    class Following(models.TextChoices):
        """Whether pictures may be made after this one, as a style."""

        UNKNOWN = "", _("Not known")
        OWN = "own", _("Own work: yes")
        LICENSED = "licensed", _("The licence allows it")
        FORBIDDEN = "forbidden", _("No")

    asset = models.OneToOneField(Asset, on_delete=models.PROTECT, related_name="rights")
    licence = models.CharField(max_length=120, verbose_name=_("licence"))
    licence_url = models.URLField(blank=True, verbose_name=_("address of the licence"))
    rights_holder = models.CharField(max_length=200, verbose_name=_("rights holder"))
    credit = models.CharField(max_length=200, blank=True, verbose_name=_("credit line"))
    acquire_url = models.URLField(
        blank=True, verbose_name=_("address where a licence can be acquired")
    )
    persons = models.CharField(
        max_length=16,
        choices=Persons.choices,
        default=Persons.NONE,
        verbose_name=_("persons in the picture"),
    )
    following = models.CharField(
        max_length=16,
        choices=Following.choices,
        default="",
        blank=True,
        verbose_name=_("may be a style for other pictures"),
    )
    markets = models.JSONField(default=list, blank=True, verbose_name=_("markets"))
    """ISO 3166-1 alpha-2 codes; empty means everywhere."""
    channels = models.JSONField(default=list, blank=True, verbose_name=_("channels"))
    """For example ``["web", "social"]``; empty means all."""
    valid_from = models.DateTimeField(null=True, blank=True, verbose_name=_("valid from"))
    valid_until = models.DateTimeField(null=True, blank=True, verbose_name=_("valid until"))
    fallback = models.ForeignKey(
        Asset,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("shown instead when the rights end"),
    )
    updated_at = models.DateTimeField(auto_now=True)
    updated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("rights record")
        verbose_name_plural = _("rights records")

    def __str__(self) -> str:
        return f"{self.asset}: {self.licence}"
