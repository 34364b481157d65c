"""The picture tags as functions of Jinja2 templates.

Add ``imagepipe.jinja2tags.pictures`` to the extensions of the Jinja2 environment, then write
``{{ picture(page.hero, "hero", priority=True) }}``.
"""

from __future__ import annotations

from jinja2 import Environment, pass_context
from jinja2.ext import Extension

from imagepipe.templatetags import imagepipe_tags

FUNCTIONS = ("picture", "picture_preload", "picture_card", "picture_data", "prefetch_pictures")


class PictureExtension(Extension):
    """Makes the functions known to an environment."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        for name in FUNCTIONS:
            function = getattr(imagepipe_tags, name)
            environment.globals[name] = pass_context(function)


pictures = PictureExtension
