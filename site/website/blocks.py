"""What the body of a page is made of."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from wagtail import blocks
from wagtail.images.blocks import ImageChooserBlock

from imagepipe.blocks import AIImageBlock


class FigureBlock(blocks.StructBlock):
    image = AIImageBlock(profile="figure", label=_("picture"))
    caption = blocks.CharBlock(required=False, max_length=200, label=_("caption"))

    class Meta:
        icon = "image"
        label = _("Picture with caption")
        template = "website/blocks/figure.html"


class BodyBlock(blocks.StreamBlock):
    heading = blocks.CharBlock(
        max_length=120,
        icon="title",
        label=_("Heading"),
        template="website/blocks/heading.html",
    )
    text = blocks.RichTextBlock(
        features=["bold", "italic", "link", "ol", "ul"], label=_("Text")
    )
    figure = FigureBlock()
    plain_image = ImageChooserBlock(
        label=_("Picture without caption"), template="website/blocks/plain_image.html"
    )
    gallery = blocks.ListBlock(
        AIImageBlock(profile="card"),
        icon="duplicate",
        label=_("Gallery"),
        template="website/blocks/gallery.html",
    )
