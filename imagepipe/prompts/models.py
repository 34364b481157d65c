"""Prompts as they are kept for use again, in typed segments with variables."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from wagtail.admin.panels import (
    FieldPanel,
    FieldRowPanel,
    MultiFieldPanel,
    TitleFieldPanel,
)
from wagtail.models import (
    DraftStateMixin,
    LockableMixin,
    PreviewableMixin,
    RevisionMixin,
    WorkflowMixin,
)

SEGMENTS = (
    "subject",
    "composition",
    "light",
    "style",
    "lens",
    "material",
    "postprocessing",
)


class SeedPolicy(models.TextChoices):
    """Where the seeds of a run come from; they are always written into the recipe."""

    RANDOM = "random", _("Random, recorded")
    FIXED = "fixed", _("Fixed")
    SERIES = "series", _("Series from a start value")


class PromptTemplate(
    WorkflowMixin,
    DraftStateMixin,
    LockableMixin,
    RevisionMixin,
    PreviewableMixin,
    models.Model,
):
    """A prompt in typed segments with ``{variables}``, and the parameters that go with it.

    Every save makes a Wagtail revision, so versions can be listed, compared and restored.
    Drafts can be submitted to a workflow; only what is published is offered to editors.
    """

    SeedPolicy = SeedPolicy

    name = models.CharField(max_length=120, verbose_name=_("name"))
    slug = models.SlugField(max_length=80, unique=True)
    description = models.TextField(blank=True, verbose_name=_("what it is for"))
    subject = models.CharField(
        max_length=500,
        default="{subject}",
        verbose_name=pgettext_lazy("prompt", "subject"),
        help_text=_("Variables in braces become fields of the form: {subject}."),
    )
    composition = models.CharField(max_length=500, blank=True, verbose_name=_("composition"))
    light = models.CharField(max_length=500, blank=True, verbose_name=_("light"))
    style = models.CharField(max_length=500, blank=True, verbose_name=_("style"))
    lens = models.CharField(max_length=500, blank=True, verbose_name=_("lens"))
    material = models.CharField(max_length=500, blank=True, verbose_name=_("material"))
    postprocessing = models.CharField(
        max_length=500, blank=True, verbose_name=_("post-processing")
    )
    negative = models.CharField(
        max_length=1000, blank=True, verbose_name=_("what must not appear")
    )
    variables = models.JSONField(default=list, blank=True, verbose_name=_("variables"))
    """[{"name": "subject", "label": "Subject", "default": "…", "choices": ["…"]}]"""
    model = models.ForeignKey(
        "imagepipe.RegisteredModel",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        limit_choices_to={"kind": "checkpoint"},
        related_name="+",
        verbose_name=_("model"),
    )
    width = models.PositiveIntegerField(default=512, verbose_name=_("width"))
    height = models.PositiveIntegerField(default=512, verbose_name=_("height"))
    """Size of the finished master in pixels; the model's own size may be smaller."""
    steps = models.PositiveSmallIntegerField(default=25, verbose_name=_("steps"))
    guidance = models.FloatField(default=4.0, verbose_name=_("guidance"))
    seed_policy = models.CharField(
        max_length=16,
        choices=SeedPolicy.choices,
        default=SeedPolicy.RANDOM,
        verbose_name=_("seed policy"),
    )
    seed = models.PositiveBigIntegerField(null=True, blank=True, verbose_name=_("seed"))

    panels = [
        TitleFieldPanel("name", targets=["slug"]),
        FieldPanel("slug"),
        FieldPanel("description"),
        MultiFieldPanel(
            [FieldPanel(segment) for segment in SEGMENTS] + [FieldPanel("negative")],
            heading=_("Prompt"),
        ),
        FieldPanel(
            "variables",
            help_text=_(
                'What the form calls them and which values are possible: [{"name": "colour", '
                '"label": "Colour", "choices": ["red", "blue"], "default": "red"}].'
            ),
        ),
        MultiFieldPanel(
            [
                FieldPanel("model"),
                FieldRowPanel([FieldPanel("width"), FieldPanel("height")]),
                FieldRowPanel([FieldPanel("steps"), FieldPanel("guidance")]),
                FieldRowPanel([FieldPanel("seed_policy"), FieldPanel("seed")]),
            ],
            heading=_("Parameters"),
        ),
    ]

    class Meta:
        ordering = ["name"]
        verbose_name = _("prompt template")
        verbose_name_plural = _("prompt templates")

    def __str__(self) -> str:
        return self.name

    def get_preview_template(self, request: HttpRequest, mode_name: str) -> str:
        return "imagepipe/prompts/preview.html"

    def get_preview_context(self, request: HttpRequest, mode_name: str) -> dict[str, Any]:
        from imagepipe.prompts.preview import preview

        return super().get_preview_context(request, mode_name) | {"preview": preview(self)}
