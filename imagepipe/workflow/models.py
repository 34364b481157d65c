"""One execution of a graph (`Run`), one node of it (`StepRun`), its offers (`Candidate`)."""

from __future__ import annotations

import uuid
from decimal import Decimal

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


class ErrorClass(models.TextChoices):
    """What a failure means for another attempt."""

    RETRYABLE = "retryable", _("May succeed later")
    TERMINAL = "terminal", _("Will fail again")
    EXHAUSTED = "exhausted", _("Given up after several attempts")


RUN_TRANSITIONS: dict[RunState, frozenset[RunState]] = {
    RunState.QUEUED: frozenset({RunState.RUNNING, RunState.CANCELLED}),
    RunState.RUNNING: frozenset(
        {RunState.QUEUED, RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELLED}
    ),
    RunState.SUCCEEDED: frozenset(),
    RunState.FAILED: frozenset({RunState.QUEUED}),
    RunState.CANCELLED: frozenset(),
}
"""RUNNING → QUEUED is a worker that was lost; the run is taken up again by another.
FAILED → QUEUED is somebody who asked to try the failed steps once more."""

FINISHED = frozenset({RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELLED})
"""What ends by itself no more."""


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
    replay_of = models.ForeignKey(
        AssetVersion,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="replays",
    )
    """The version whose recipe is made again and compared; such a run offers nothing."""
    state = models.CharField(
        max_length=16,
        choices=RunState.choices,
        default=RunState.QUEUED,
        verbose_name=_("state"),
    )
    priority = models.SmallIntegerField(default=0)
    """−100 (whenever) to 100 (urgent)."""
    paused = models.BooleanField(default=False)
    """Not to be taken by a worker; one that runs is put back before its next step."""
    position = models.FloatField(null=True, blank=True)
    """Order among waiting runs of one person and priority; empty: the time of creation."""
    deadline = models.DateTimeField(null=True, blank=True)
    not_before = models.DateTimeField(null=True, blank=True)
    """Waiting for another attempt until then."""
    resource = models.CharField(max_length=40, blank=True)
    """Class of machine that a worker must offer, such as ``gpu``; empty: any worker."""
    memory_bytes = models.PositiveBigIntegerField(default=0)
    """Memory that a worker must have; 0: not known."""
    estimated_seconds = models.FloatField(null=True, blank=True)
    """How long the work is expected to take, from finished runs; empty: not known."""
    estimated_cost = models.DecimalField(max_digits=16, decimal_places=6, default=Decimal(0))
    """What the work was expected to cost when it was asked for, at the prices of then."""
    site = models.ForeignKey(
        "wagtailcore.Site", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    """The site that the work is for, between which workers are shared fairly."""
    idempotency_key = models.CharField(max_length=80, blank=True)
    """Chosen by who asks; the same person asking twice with one key gets one run."""
    progress = models.FloatField(default=0)
    """0 to 1."""
    message = models.CharField(max_length=255, blank=True)
    error_code = models.CharField(max_length=40, blank=True)
    error_class = models.CharField(max_length=16, blank=True, choices=ErrorClass.choices)
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
        constraints = [
            models.UniqueConstraint(
                fields=["created_by", "idempotency_key"],
                condition=~models.Q(idempotency_key=""),
                name="imagepipe_run_idempotency",
            ),
            models.UniqueConstraint(
                fields=["idempotency_key"],
                condition=~models.Q(idempotency_key="") & models.Q(created_by=None),
                name="imagepipe_run_idempotency_system",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def is_finished(self) -> bool:
        return self.state in FINISHED

    @property
    def is_dead_letter(self) -> bool:
        """Whether the run failed and waits for somebody to decide."""
        return self.state == RunState.FAILED


class StepRun(models.Model):
    """One node's execution within a run; a finished one is not repeated after a crash."""

    class Source(models.TextChoices):
        COMPUTED = "computed", _("Computed")
        REUSED = "reused", _("Taken over")
        SKIPPED = "skipped", _("Not needed")

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="steps")
    node = models.CharField(max_length=60)
    kind = models.CharField(max_length=40)
    state = models.CharField(max_length=16, choices=RunState.choices, default=RunState.QUEUED)
    progress = models.FloatField(default=0)
    attempt = models.PositiveSmallIntegerField(default=0)
    input_hash = models.CharField(max_length=64, blank=True, db_index=True)
    """SHA-256 of kind, parameters and inputs: the key under which the output may be reused."""
    source = models.CharField(max_length=12, choices=Source.choices, default=Source.COMPUTED)
    """Where the output came from; meaningful once the step is finished."""
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
    pinned = models.BooleanField(default=False)
    """Shown before the other candidates of the run, to everybody."""
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
