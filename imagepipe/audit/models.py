from __future__ import annotations

import hashlib
import json
from typing import Any, NoReturn

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from imagepipe.exceptions import ImmutableRecord


class AuditEventQuerySet(models.QuerySet["AuditEvent"]):
    """Refuses what would rewrite history."""

    def update(self, **kwargs: Any) -> int:
        if set(kwargs) == {"actor"} and kwargs["actor"] is None:
            return super().update(**kwargs)  # the account was deleted; the name stays
        raise ImmutableRecord("Audit events cannot be changed.")

    def delete(self) -> NoReturn:
        raise ImmutableRecord("Audit events cannot be deleted.")


class AuditEvent(models.Model):
    """One link of a hash chain: what was done, by whom, to which subject, with which data.

    Each subject (an asset, a run, a model) has a chain of its own; ``hash`` covers the
    previous link, so that a removed or changed event is found by :func:`verify_chain`.
    """

    chain = models.CharField(max_length=64, verbose_name=_("subject"))
    sequence = models.PositiveIntegerField()
    at = models.DateTimeField()
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    actor_name = models.CharField(max_length=255, verbose_name=_("by"))
    action = models.CharField(max_length=64, db_index=True, verbose_name=_("action"))
    data = models.JSONField(default=dict)
    previous_hash = models.CharField(max_length=64, blank=True)
    hash = models.CharField(max_length=64)

    objects = AuditEventQuerySet.as_manager()
    wagtail_reference_index_ignore = True

    class Meta:
        ordering = ["chain", "sequence"]
        constraints = [
            models.UniqueConstraint(
                fields=["chain", "sequence"], name="imagepipe_audit_chain_sequence"
            )
        ]

    def __str__(self) -> str:
        return f"{self.chain} #{self.sequence} {self.action}"

    def compute_hash(self) -> str:
        """SHA-256 over the previous hash and the canonical form of this event."""
        body = {
            "chain": self.chain,
            "sequence": self.sequence,
            "at": self.at.isoformat(timespec="microseconds"),
            "actor": self.actor_name,
            "action": self.action,
            "data": self.data,
            "previous": self.previous_hash,
        }
        text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise ImmutableRecord("Audit events cannot be changed.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise ImmutableRecord("Audit events cannot be deleted.")
