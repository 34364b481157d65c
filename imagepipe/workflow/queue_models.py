"""What the queue knows beside its runs: workers, shares, quotas, money, engines' health."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from imagepipe.conf import get_settings
from imagepipe.workflow.models import Run


class QueueWorker(models.Model):
    """One process that executes runs, as it describes itself every few seconds."""

    class State(models.TextChoices):
        IDLE = "idle", pgettext_lazy("worker", "Idle")
        BUSY = "busy", pgettext_lazy("worker", "Working")
        STOPPING = "stopping", pgettext_lazy("worker", "Stopping")
        STOPPED = "stopped", pgettext_lazy("worker", "Stopped")

    name = models.CharField(max_length=80, unique=True)
    """The same as ``Run.lease_owner``."""
    host = models.CharField(max_length=64, blank=True)
    pid = models.PositiveIntegerField(default=0)
    engine = models.CharField(max_length=40, blank=True)
    """Task engine that brings it runs: ``database``, ``celery``, ``rq``."""
    state = models.CharField(max_length=12, choices=State.choices, default=State.IDLE)
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField(db_index=True)
    run = models.ForeignKey(
        Run, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    models_loaded = models.JSONField(default=list)
    """Slugs of the models that are warm in its memory, the latest last."""
    resources = models.JSONField(default=list)
    """Classes of machine that it offers."""
    memory_bytes = models.PositiveBigIntegerField(default=0)
    """Resident memory of the process."""
    memory_limit_bytes = models.PositiveBigIntegerField(default=0)
    """Memory that it offers to runs; 0: not known."""
    executed = models.PositiveIntegerField(default=0)
    """Runs since it started."""
    model_swaps = models.PositiveIntegerField(default=0)
    """How often it changed from one model to another."""
    leases_lost = models.PositiveIntegerField(default=0)
    """Runs that were taken from it because it no longer renewed its lease."""

    wagtail_reference_index_ignore = True

    class Meta:
        ordering = ["host", "pid"]
        verbose_name = _("worker")
        verbose_name_plural = _("workers")

    def __str__(self) -> str:
        return self.name


class Share(models.Model):
    """How much work somebody (``user:7``, ``site:1``) was given lately."""

    owner = models.CharField(max_length=60, primary_key=True)
    weight = models.FloatField(default=1)
    """A share of weight 2 is given twice the work of one with weight 1."""
    used_seconds = models.FloatField(default=0)
    """Seconds of work as of ``updated_at``; they fade with time."""
    updated_at = models.DateTimeField()
    last_started_at = models.DateTimeField(null=True, blank=True)

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("share")
        verbose_name_plural = _("shares")

    def __str__(self) -> str:
        return self.owner


class Quota(models.Model):
    """How much may be asked for within a period: by one user, one group, one site, or each.

    Without user, group and site it holds for every user separately.
    """

    class Unit(models.TextChoices):
        RUNS = "runs", _("Runs")
        PICTURES = "pictures", _("Pictures")
        SECONDS = "seconds", _("Seconds of work")
        COST = "cost", _("Money")

    class Period(models.TextChoices):
        DAY = "day", _("Day")
        WEEK = "week", _("Week")
        MONTH = "month", _("Month")

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="+",
        verbose_name=_("user"),
    )
    group = models.ForeignKey(
        "auth.Group",
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="+",
        verbose_name=_("group"),
        help_text=_("All members together."),
    )
    site = models.ForeignKey(
        "wagtailcore.Site",
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="+",
        verbose_name=_("site"),
    )
    unit = models.CharField(max_length=12, choices=Unit.choices, verbose_name=_("unit"))
    period = models.CharField(
        max_length=8, choices=Period.choices, default=Period.MONTH, verbose_name=_("period")
    )
    amount = models.PositiveIntegerField(verbose_name=_("amount"))
    created_at = models.DateTimeField(auto_now_add=True)

    wagtail_reference_index_ignore = True

    class Meta:
        ordering = ["pk"]
        verbose_name = _("quota")
        verbose_name_plural = _("quotas")

    def __str__(self) -> str:
        return f"{self.amount} {self.unit_name} / {self.get_period_display()}"

    @property
    def unit_name(self) -> str:
        """In words; of money the currency."""
        if self.unit == self.Unit.COST:
            return get_settings().CURRENCY
        return str(self.get_unit_display())


class Expense(models.Model):
    """What an engine asked for one picture, at the price of that moment.

    Rows are only ever added: a price that changes later changes no past.
    """

    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="expenses")
    node = models.CharField(max_length=60)
    """The step, as in ``StepRun.node``."""
    engine = models.CharField(max_length=40)
    seconds = models.FloatField()
    """That the engine worked on it."""
    amount = models.DecimalField(max_digits=16, decimal_places=6)
    currency = models.CharField(max_length=3)
    spent_at = models.DateTimeField(db_index=True)

    wagtail_reference_index_ignore = True

    class Meta:
        ordering = ["pk"]
        verbose_name = _("expense")
        verbose_name_plural = _("expenses")

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"


class QuotaRequest(models.Model):
    """Somebody asks for more than a quota allows; what is granted holds for the period."""

    class State(models.TextChoices):
        OPEN = "open", pgettext_lazy("request", "Open")
        GRANTED = "granted", pgettext_lazy("request", "Granted")
        REFUSED = "refused", pgettext_lazy("request", "Refused")

    quota = models.ForeignKey(Quota, on_delete=models.CASCADE, related_name="requests")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+"
    )
    amount = models.PositiveIntegerField(verbose_name=_("how much more"))
    reason = models.CharField(max_length=500, blank=True, verbose_name=_("reason"))
    state = models.CharField(max_length=12, choices=State.choices, default=State.OPEN)
    valid_until = models.DateTimeField()
    """The end of the period that it was asked for."""
    created_at = models.DateTimeField(auto_now_add=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )

    wagtail_reference_index_ignore = True

    class Meta:
        ordering = ["-created_at", "-pk"]
        verbose_name = _("request for more")
        verbose_name_plural = _("requests for more")

    def __str__(self) -> str:
        return f"{self.user}: +{self.amount}"


class NoticePreference(models.Model):
    """What somebody is told by e-mail without asking each time."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+"
    )
    email = models.BooleanField(
        default=False, verbose_name=_("E-mail me at the end of each run that I start")
    )
    quota_requests = models.BooleanField(
        default=True,
        verbose_name=_("E-mail me when somebody asks for more than a quota allows"),
    )
    """Matters only for those who decide about quotas; on, as nobody else can help."""

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("notices")
        verbose_name_plural = _("notices")

    def __str__(self) -> str:
        return str(self.user)


class EngineHealth(models.Model):
    """Whether a backend (``diffusers``, …) or the ``storage`` answers; a circuit breaker."""

    name = models.CharField(max_length=40, primary_key=True)
    failures = models.PositiveIntegerField(default=0)
    """In a row."""
    open_until = models.DateTimeField(null=True, blank=True)
    """Until then no run that needs it is started."""
    last_error = models.TextField(blank=True)
    changed_at = models.DateTimeField(auto_now=True)

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("health of an engine")
        verbose_name_plural = _("health of engines")

    def __str__(self) -> str:
        return self.name
