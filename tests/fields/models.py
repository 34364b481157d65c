"""A page, a snippet with drafts and an inline panel with image fields; test settings only."""

from __future__ import annotations

from typing import Any

from django.db import models
from modelcluster.fields import ParentalKey
from wagtail.admin.panels import FieldPanel, InlinePanel
from wagtail.fields import StreamField
from wagtail.models import DraftStateMixin, Orderable, Page, RevisionMixin
from wagtail.snippets.models import register_snippet

from imagepipe.blocks import AIImageBlock
from imagepipe.fields import AIImageField


class AbstractIllustrated(models.Model):
    hero = AIImageField(verbose_name="hero")

    class Meta:
        abstract = True


@register_snippet
class Teaser(DraftStateMixin, RevisionMixin, AbstractIllustrated):
    """Two pictures, one of them from an abstract model."""

    title = models.CharField(max_length=80)
    side = AIImageField(profile="default", verbose_name="side")

    panels = [FieldPanel("title"), FieldPanel("hero"), FieldPanel("side")]

    def __str__(self) -> str:
        return self.title


class ReportPage(Page):
    """A page with a field, a StreamField and an inline panel."""

    hero = AIImageField()
    body = StreamField([("picture", AIImageBlock())], blank=True)

    content_panels = [
        *Page.content_panels,
        FieldPanel("hero"),
        FieldPanel("body"),
        InlinePanel("slides"),
    ]

    def serve(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        from django.http import HttpResponse
        from django.template import engines

        template = engines["django"].from_string(
            "{% load imagepipe_tags %}{% picture page.hero 'hero' %}"
            "{% for block in page.body %}{% picture block.value 'card' %}{% endfor %}"
        )
        return HttpResponse(template.render({"page": self}, request))


class Slide(Orderable):
    page = ParentalKey(ReportPage, on_delete=models.CASCADE, related_name="slides")
    picture = AIImageField()

    panels = [FieldPanel("picture")]
