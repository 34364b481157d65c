"""Content that is used on several pages."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _
from wagtail.admin.panels import FieldPanel
from wagtail.models import PreviewableMixin, TranslatableMixin
from wagtail.snippets.models import register_snippet

from imagepipe.fields import AIImageField


@register_snippet
class Promotion(PreviewableMixin, TranslatableMixin, models.Model):
    """A picture with a sentence, shown on home pages."""

    title = models.CharField(max_length=80, verbose_name=_("title"))
    text = models.CharField(max_length=200, blank=True, verbose_name=_("text"))
    picture = AIImageField(profile="card", verbose_name=_("picture"))

    panels = [FieldPanel("title"), FieldPanel("text"), FieldPanel("picture")]

    class Meta(TranslatableMixin.Meta):
        verbose_name = _("promotion")
        verbose_name_plural = _("promotions")

    def __str__(self) -> str:
        return self.title

    def get_preview_template(self, request: object, mode_name: str) -> str:
        return "website/promotion_preview.html"
