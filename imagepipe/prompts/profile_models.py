"""Parameters that are kept under a name, apart from any words."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _
from wagtail.admin.panels import FieldPanel, FieldRowPanel, MultiFieldPanel, TitleFieldPanel
from wagtail.models import DraftStateMixin, LockableMixin, RevisionMixin, WorkflowMixin

from imagepipe.prompts.models import SeedPolicy


class GenerationProfile(
    WorkflowMixin, DraftStateMixin, LockableMixin, RevisionMixin, models.Model
):
    """How pictures are made, whatever they show; goes with any template or free words.

    What is empty is as the template or the model says. Versioned and reviewed as templates
    are; only what is published is offered.
    """

    name = models.CharField(max_length=120, verbose_name=_("name"))
    slug = models.SlugField(max_length=80, unique=True)
    description = models.TextField(blank=True, verbose_name=_("what it is for"))
    negative = models.CharField(
        max_length=1000,
        blank=True,
        verbose_name=_("what must not appear"),
        help_text=_("Added to what the template excludes."),
    )
    model = models.ForeignKey(
        "imagepipe.RegisteredModel",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        limit_choices_to={"kind": "checkpoint"},
        related_name="+",
        verbose_name=_("model"),
    )
    width = models.PositiveIntegerField(null=True, blank=True, verbose_name=_("width"))
    height = models.PositiveIntegerField(null=True, blank=True, verbose_name=_("height"))
    """Size of the finished master in pixels."""
    steps = models.PositiveSmallIntegerField(null=True, blank=True, verbose_name=_("steps"))
    guidance = models.FloatField(null=True, blank=True, verbose_name=_("guidance"))
    scheduler = models.CharField(max_length=60, blank=True, verbose_name=_("scheduler"))
    seed_policy = models.CharField(
        max_length=16,
        choices=SeedPolicy.choices,
        blank=True,
        verbose_name=_("seed policy"),
    )
    seed = models.PositiveBigIntegerField(null=True, blank=True, verbose_name=_("seed"))

    panels = [
        TitleFieldPanel("name", targets=["slug"]),
        FieldPanel("slug"),
        FieldPanel("description"),
        FieldPanel("negative"),
        MultiFieldPanel(
            [
                FieldPanel("model"),
                FieldRowPanel([FieldPanel("width"), FieldPanel("height")]),
                FieldRowPanel([FieldPanel("steps"), FieldPanel("guidance")]),
                FieldPanel("scheduler"),
                FieldRowPanel([FieldPanel("seed_policy"), FieldPanel("seed")]),
            ],
            heading=_("Parameters"),
            help_text=_("What is empty is as the template or the model says."),
        ),
    ]

    class Meta:
        ordering = ["name"]
        verbose_name = _("generation profile")
        verbose_name_plural = _("generation profiles")

    def __str__(self) -> str:
        return self.name
