"""The pages of the reference site."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from wagtail.admin.panels import FieldPanel
from wagtail.fields import StreamField
from wagtail.models import Page

from imagepipe.fields import AIImageField
from website.blocks import BodyBlock


class HomePage(Page):
    """The front page of one language, with its stories and a promotion."""

    lead = models.CharField(max_length=300, blank=True, verbose_name=_("lead"))
    hero = AIImageField(profile="hero", verbose_name=_("hero picture"))
    promotion = models.ForeignKey(
        "website.Promotion",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("promotion"),
    )

    content_panels = [
        *Page.content_panels,
        FieldPanel("lead"),
        FieldPanel("hero"),
        FieldPanel("promotion"),
    ]
    parent_page_types = ["wagtailcore.Page"]
    subpage_types = ["website.StoryPage"]
    template = "website/home_page.html"

    class Meta:
        verbose_name = _("home page")
        verbose_name_plural = _("home pages")

    def get_context(self, request: HttpRequest, *args: Any, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context(request, *args, **kwargs)
        stories = StoryPage.objects.live().public().child_of(self).order_by("path")
        context["stories"] = list(stories.select_related("hero"))
        promotion = self.promotion
        images = [story.hero for story in context["stories"]]
        images += [self.hero, promotion.picture if promotion else None]
        context["pictures"] = [image for image in images if image is not None]
        return context


class StoryPage(Page):
    """A story: a lead, a hero picture, and a body of text and pictures."""

    lead = models.CharField(max_length=300, blank=True, verbose_name=_("lead"))
    hero = AIImageField(profile="hero", verbose_name=_("hero picture"))
    body = StreamField(BodyBlock(), blank=True, verbose_name=_("body"))

    content_panels = [
        *Page.content_panels,
        FieldPanel("lead"),
        FieldPanel("hero"),
        FieldPanel("body"),
    ]
    parent_page_types = ["website.HomePage"]
    subpage_types: list[str] = []
    template = "website/story_page.html"

    class Meta:
        verbose_name = _("story")
        verbose_name_plural = _("stories")
