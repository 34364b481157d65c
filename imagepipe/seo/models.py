"""What was suggested as alternative text, kept apart from the texts themselves."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from imagepipe.assets.models import Asset, AssetVersion


class AltSuggestion(models.Model):
    """The latest of one captioner for a picture in one language; people take it or leave it.

    An empty ``text`` is an answer too: ``reason`` says why there is nothing to suggest.
    """

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        TAKEN = "taken", _("Taken")
        DISMISSED = "dismissed", _("Dismissed")

    asset = models.ForeignKey(Asset, on_delete=models.CASCADE, related_name="alt_suggestions")
    version = models.ForeignKey(AssetVersion, on_delete=models.PROTECT, related_name="+")
    language = models.CharField(max_length=16)
    captioner = models.CharField(max_length=40)
    text = models.CharField(max_length=250, blank=True)
    reason = models.CharField(max_length=40, blank=True)
    words = models.JSONField(default=list)
    """Where the words come from: ``[{"source": "prompt", "text": "a teapot"}]``."""
    is_weak = models.BooleanField(default=False)
    """Only a beginning: it is never published unseen."""
    fingerprint = models.CharField(max_length=64)
    """Of everything it was made of; equal ones need no second look."""
    state = models.CharField(max_length=12, choices=State.choices, default=State.OPEN)
    created_at = models.DateTimeField(auto_now=True)

    wagtail_reference_index_ignore = True

    class Meta:
        ordering = ["asset_id", "language", "captioner"]
        verbose_name = _("suggested alternative text")
        verbose_name_plural = _("suggested alternative texts")
        constraints = [
            models.UniqueConstraint(
                fields=["asset", "language", "captioner"], name="imagepipe_alt_suggestion"
            )
        ]

    def __str__(self) -> str:
        return f"{self.language}: {self.text or self.reason}"
