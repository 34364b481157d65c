"""A page-like model without a table: enough for rendering."""

from __future__ import annotations

from django.db import models
from wagtail import blocks
from wagtail.fields import StreamField
from wagtail.images import get_image_model_string
from wagtail.images.blocks import ImageBlock, ImageChooserBlock


class Article(models.Model):
    hero = models.ForeignKey(
        get_image_model_string(), null=True, on_delete=models.DO_NOTHING, related_name="+"
    )
    body = StreamField(
        [
            ("image", ImageChooserBlock()),
            ("captioned", ImageBlock()),
            ("gallery", blocks.ListBlock(ImageChooserBlock())),
            ("text", blocks.CharBlock()),
            (
                "columns",
                blocks.StructBlock(
                    [
                        ("left", blocks.StreamBlock([("image", ImageBlock())])),
                        ("n", blocks.IntegerBlock()),
                    ]
                ),
            ),
        ],
    )

    class Meta:
        app_label = "imagepipe_tests"
        managed = False
