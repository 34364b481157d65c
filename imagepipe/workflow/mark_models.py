"""What people remember of candidates: everybody stars for themselves."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from imagepipe.workflow.models import Candidate


class Star(models.Model):
    """A person's note that a candidate is worth finding again; nobody else sees it."""

    candidate = models.ForeignKey(Candidate, on_delete=models.CASCADE, related_name="stars")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("star")
        verbose_name_plural = _("stars")
        constraints = [
            models.UniqueConstraint(fields=["user", "candidate"], name="imagepipe_one_star")
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.candidate}"
