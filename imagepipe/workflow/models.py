"""One execution of a graph (`Run`), one node of it (`StepRun`), its offers (`Candidate`)."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from wagtail.models import Collection
from wagtail.models.media import get_root_collection_id

from imagepipe.assets.models import Asset, AssetVersion


class RunState(models.TextChoices):
    QUEUED = "queued", _("Waiting")
    RUNNING = "running", _("Running")
    SUCCEEDED = "succeeded", _("Finished")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", pgettext_lazy("run", "Cancelled")


RUN_TRANSITIONS: dict[RunState, frozenset[RunState]] = {
    RunState.QUEUED: frozenset({RunState.RUNNING, RunState.CANCELLED}),
    RunState.RUNNING: frozenset(
        {RunState.QUEUED, RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELLED}
    ),
    RunState.SUCCEEDED: frozenset(),
    RunState.FAILED: frozenset(),
    RunState.CANCELLED: frozenset(),
}
"""RUNNING → QUEUED is a worker that was lost; the run is taken up again by another."""


class Run(models.Model):
    """One execution of a graph. The row is the truth; a queue only says "look at this run"."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    title = models.CharField(max_length=255, verbose_name=_("brief"))
    graph = models.JSONField()
    graph_sha256 = models.CharField(max_length=64)
    request = models.JSONField(default=dict)
    """What was asked for: template, variables, parameters, number of candidates."""
    collection = models.ForeignKey(
        Collection,
        default=get_root_collection_id,
        on_delete=models.SET(get_root_collection_id),
        related_name="+",
        verbose_name=_("collection"),
    )
    template = models.ForeignKey(
        "imagepipe.PromptTemplate", null=True, on_delete=models.SET_NULL, related_name="+"
    )
    model = models.ForeignKey(
        "imagepipe.RegisteredModel", null=True, on_delete=models.PROTECT, related_name="+"
    )
    retry_of = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="retries"
    )
    variation_of = models.ForeignKey(
        "imagepipe.Candidate",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    state = models.CharField(
        max_length=16,
        choices=RunState.choices,
        default=RunState.QUEUED,
        verbose_name=_("state"),
    )
    priority = models.SmallIntegerField(default=0)
    """−100 (whenever) to 100 (urgent)."""
    progress = models.FloatField(default=0)
    """0 to 1."""
    message = models.CharField(max_length=255, blank=True)
    error_code = models.CharField(max_length=40, blank=True)
    error = models.TextField(blank=True)
    cancel_requested = models.BooleanField(default=False)
    attempt = models.PositiveSmallIntegerField(default=0)
    lease_owner = models.CharField(max_length=80, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )

    wagtail_reference_index_ignore = True

    class Meta:
        ordering = ["-created_at", "-pk"]
        verbose_name = _("run")
        verbose_name_plural = _("runs")
        indexes = [
            models.Index(
                fields=["state", "-priority", "created_at"], name="imagepipe_run_queue"
            )
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def is_finished(self) -> bool:
        return not RUN_TRANSITIONS[RunState(self.state)]


class StepRun(models.Model):
    """One node's execution within a run; a finished one is not repeated after a crash."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="steps")
    node = models.CharField(max_length=60)
    kind = models.CharField(max_length=40)
    state = models.CharField(max_length=16, choices=RunState.choices, default=RunState.QUEUED)
    progress = models.FloatField(default=0)
    attempt = models.PositiveSmallIntegerField(default=0)
    input_hash = models.CharField(max_length=64, blank=True, db_index=True)
    """SHA-256 of kind, parameters and inputs: the key under which the output may be reused."""
    output = models.JSONField(null=True, blank=True)
    error = models.TextField(blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    wagtail_reference_index_ignore = True

    class Meta:
        ordering = ["run", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["run", "node"], name="imagepipe_step_run_node")
        ]

    def __str__(self) -> str:
        return f"{self.run} / {self.node}"


class Candidate(models.Model):
    """One picture offered for review; private until it is accepted as an asset."""

    class State(models.TextChoices):
        OFFERED = "offered", _("Offered")
        REFUSED = "refused", _("Refused by a check")
        ACCEPTED = "accepted", _("Accepted")
        REJECTED = "rejected", _("Rejected")

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="candidates")
    index = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=16, choices=State.choices, default=State.OFFERED)
    seed = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    mime = models.CharField(max_length=32, default="image/png")
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    byte_count = models.PositiveBigIntegerField()
    perceptual_hash = models.CharField(max_length=16, blank=True, db_index=True)
    recipe = models.JSONField()
    recipe_sha256 = models.CharField(max_length=64)
    findings = models.JSONField(default=list)
    """The verdicts of the automatic checks, as dictionaries."""
    version = models.OneToOneField(
        AssetVersion, null=True, blank=True, on_delete=models.PROTECT, related_name="candidate"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    wagtail_reference_index_ignore = True

    class Meta:
        ordering = ["run", "index"]
        verbose_name = _("candidate")
        verbose_name_plural = _("candidates")
        constraints = [
            models.UniqueConstraint(fields=["run", "index"], name="imagepipe_candidate_index")
        ]

    def __str__(self) -> str:
        return f"{self.run} #{self.index}"

    @property
    def asset(self) -> Asset | None:
        return self.version.asset if self.version else None
