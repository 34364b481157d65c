from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from imagepipe.assets.models import AssetVersion


class Review(models.Model):
    """One person's decision about one picture, with its reasons.

    ``subject_uid`` is the candidate's uid when the picture was turned down before it became
    an asset; otherwise ``version`` says what was reviewed.
    """

    class Decision(models.TextChoices):
        APPROVED = "approved", _("Approved")
        REJECTED = "rejected", _("Rejected")

    class Reason(models.TextChoices):
        OFF_BRIEF = "off-brief", _("Does not match the brief")
        OFF_BRAND = "off-brand", _("Does not match the brand")
        ARTEFACT = "artefact", _("Visible faults")
        COMPOSITION = "composition", _("Composition")
        LEGAL = "legal", _("Legal concern")
        DUPLICATE = "duplicate", _("Too similar to another picture")
        OTHER = "other", _("Other")

    version = models.ForeignKey(
        AssetVersion, null=True, blank=True, on_delete=models.PROTECT, related_name="reviews"
    )
    subject_uid = models.UUIDField(null=True, blank=True, db_index=True)
    decision = models.CharField(max_length=16, choices=Decision.choices)
    reason = models.CharField(
        max_length=16, choices=Reason.choices, blank=True, verbose_name=_("reason")
    )
    note = models.TextField(blank=True, verbose_name=_("note"))
    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    wagtail_reference_index_ignore = True

    class Meta:
        ordering = ["created_at", "pk"]
        verbose_name = _("review")
        verbose_name_plural = _("reviews")

    def __str__(self) -> str:
        return self.get_decision_display()
