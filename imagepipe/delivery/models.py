"""What edges are told (`Publication`, `FeedEntry`, `PendingPurge`), and `StoredRendition`."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from imagepipe.assets.models import Asset, AssetVersion


class Publication(models.Model):
    """The outbox: what the delivery storage should say about an asset, and what it does say.

    ``desired`` is raised in the same transaction as the action; the reconciler writes master,
    grant and feed, then sets ``observed`` to the generation it has written. The row is also
    what the picture tag reads, in bulk, so that a page costs no query per picture.
    """

    asset = models.OneToOneField(Asset, on_delete=models.PROTECT, related_name="publication")
    desired = models.PositiveBigIntegerField(default=0)
    observed = models.PositiveBigIntegerField(default=0)
    document = models.JSONField(default=dict)
    """What the picture tag needs: version, size, focal point, texts, disclosure, runtime."""
    changed_at = models.DateTimeField(auto_now=True)
    last_error = models.TextField(blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    """Failures since the last success."""
    retry_at = models.DateTimeField(null=True, blank=True)
    stale_media = models.JSONField(default=list, blank=True)
    """Media files that the Wagtail image no longer uses and that are still to be deleted."""

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("publication")
        verbose_name_plural = _("publications")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(observed__lte=models.F("desired")),
                name="imagepipe_publication_observed",
            )
        ]

    def __str__(self) -> str:
        return f"{self.asset} {self.observed}/{self.desired}"


class DeliveryLease(models.Model):
    """Who may write to the delivery storage at the moment: one reconciler at a time."""

    name = models.CharField(max_length=40, primary_key=True)
    owner = models.CharField(max_length=80, blank=True)
    until = models.DateTimeField(null=True)

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("delivery lease")
        verbose_name_plural = _("delivery leases")

    def __str__(self) -> str:
        return f"{self.name}: {self.owner}"


class FeedEntry(models.Model):
    """One line of the change feed that edges follow."""

    shard = models.PositiveSmallIntegerField()
    sequence = models.PositiveBigIntegerField()
    asset_uid = models.UUIDField()
    grant_sequence = models.PositiveBigIntegerField()
    tags = models.JSONField(default=list)
    at = models.DateTimeField(auto_now_add=True)

    wagtail_reference_index_ignore = True

    class Meta:
        ordering = ["shard", "sequence"]
        constraints = [
            models.UniqueConstraint(
                fields=["shard", "sequence"], name="imagepipe_feed_shard_sequence"
            )
        ]

    def __str__(self) -> str:
        return f"{self.shard}/{self.sequence}"


class PendingPurge(models.Model):
    """What one purge target has still to be told; the row goes when it was told."""

    target = models.CharField(max_length=40)
    """Its name in ``PURGE_TARGETS``."""
    asset = models.CharField(max_length=32, blank=True)
    tags = models.JSONField(default=list, blank=True)
    everything = models.BooleanField(default=False)
    probe = models.CharField(max_length=1000, blank=True)
    """A public address and, after a space, ``gone`` or ``shown``."""
    created_at = models.DateTimeField(auto_now_add=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    retry_at = models.DateTimeField(null=True, blank=True)
    last_error = models.TextField(blank=True)

    wagtail_reference_index_ignore = True

    class Meta:
        ordering = ["pk"]
        verbose_name = _("pending purge")
        verbose_name_plural = _("pending purges")
        indexes = [models.Index(fields=["target", "retry_at"], name="imagepipe_purge_due")]

    def __str__(self) -> str:
        return f"{self.target}: {self.asset or ', '.join(self.tags) or 'everything'}"


class StoredRendition(models.Model):
    """A derivative that the edge has answered with, recorded with its version and rights."""

    version = models.ForeignKey(
        AssetVersion, on_delete=models.PROTECT, related_name="renditions"
    )
    transform = models.CharField(max_length=200)
    format = models.CharField(max_length=8)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    byte_count = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    rights = models.JSONField(default=dict)
    """The rights record as it stood when the rendition was made."""
    valid_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    wagtail_reference_index_ignore = True

    class Meta:
        ordering = ["version", "transform", "format"]
        verbose_name = _("stored rendition")
        verbose_name_plural = _("stored renditions")
        constraints = [
            models.UniqueConstraint(
                fields=["version", "transform", "format"], name="imagepipe_stored_rendition"
            )
        ]

    def __str__(self) -> str:
        return f"{self.version} {self.transform}.{self.format}"
