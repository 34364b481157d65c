"""Wagtail's own image tags with the pictures of the edge.

Name it as ``wagtailimages_tags`` in the ``libraries`` of the template engine; no template has
to change. Pages of the admin, and images that imagepipe does not manage, stay as they were.
"""

from __future__ import annotations

from typing import Any

from django import template
from django.template.base import FilterExpression, Node, Parser, Token
from django.urls import NoReverseMatch, reverse
from wagtail.images.models import AbstractImage
from wagtail.images.templatetags import wagtailimages_tags

from imagepipe.delivery.edge_renditions import DeliveredImage
from imagepipe.delivery.shown import Context, remember_shown, show

register = template.Library()
register.tag("image_url", wagtailimages_tags.register.tags["image_url"])


class DeliveredExpression:
    """The expression of a tag, resolved to an image whose renditions are the edge's."""

    def __init__(self, expression: FilterExpression) -> None:
        self.expression = expression

    def resolve(self, context: Context) -> Any:
        image = self.expression.resolve(context)
        if not isinstance(image, AbstractImage) or in_admin(context):
            return image
        shown = show(context, image)
        if shown is None or shown.document is None:
            return image
        remember_shown(context, shown)
        return DeliveredImage(image, shown)


def in_admin(context: Context) -> bool:
    """Whether the page is one of Wagtail's admin."""
    request = context.get("request")
    try:
        return request is not None and request.path.startswith(reverse("wagtailadmin_home"))
    except NoReverseMatch:
        return False


def compile_image(parser: Parser, token: Token) -> Node:
    node = wagtailimages_tags.image(parser, token)
    node.image_expr = DeliveredExpression(node.image_expr)
    return node


for _name in ("image", "srcset_image", "picture"):
    register.tag(_name, compile_image)
