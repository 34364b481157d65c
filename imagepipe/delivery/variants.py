"""Art direction: another crop or another picture for narrow viewports and dark pages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from django.utils.html import format_html_join
from django.utils.safestring import SafeString, mark_safe

from imagepipe.delivery.markup import preload_html
from imagepipe.delivery.presentation import Presentation, Variant
from imagepipe.delivery.shown import ShownPicture
from imagepipe.urlspec import Preset

NARROW_MEDIA = "(max-width: 40rem)"
DARK_MEDIA = "(prefers-color-scheme: dark)"


@dataclass(frozen=True)
class ArtDirection:
    """What a template says for narrow viewports and for dark ones.

    ``narrow_preset`` None is the picture's own; pictures that are None are not named, or may
    not be shown. In the dark, the dark picture wins over the narrow one, in its preset.
    """

    narrow_preset: Preset | None = None
    narrow_media: str = NARROW_MEDIA
    narrow_picture: ShownPicture | None = None
    dark_picture: ShownPicture | None = None

    def variants(self, main: ShownPicture, presentation: Presentation) -> Iterator[Variant]:
        """The most special first, as browsers take the first that holds."""
        narrow = presentation
        if self.narrow_preset is not None:
            sizes = presentation.sizes if presentation.sizes == "auto" else ""
            narrow = replace(presentation, preset=self.narrow_preset, sizes=sizes)
        if self.dark_picture is not None:
            if self.narrow_preset is not None:
                media = both(self.narrow_media, DARK_MEDIA)
                yield variant_of(self.dark_picture, media, narrow)
            yield variant_of(self.dark_picture, DARK_MEDIA, presentation)
        if self.narrow_preset is not None or self.narrow_picture is not None:
            yield variant_of(self.narrow_picture or main, self.narrow_media, narrow)


def both(queries: str, feature: str) -> str:
    """The media query list that holds where a list and a media feature hold."""
    parts = [part.strip() for part in queries.split(",")]
    return ", ".join(
        f"({part}) and {feature}"
        if re.search(r"\b(or|not)\b", part)
        else f"{part} and {feature}"
        for part in parts
    )


def preload_links(
    main: ShownPicture, presentation: Presentation, direction: ArtDirection
) -> SafeString:
    """One `<link>` for each variant and one for the picture: at most one of them holds.

    Nothing where a media query cannot be turned round, because it names a media type, or where
    a variant is not managed by imagepipe: browsers would fetch two pictures.
    """
    if main.document is None:
        return mark_safe("")
    variants = tuple(direction.variants(main, presentation))
    queries = [part.strip() for one in variants for part in one.media.split(",")]
    if any(one.document is None for one in variants) or not all(map(_is_condition, queries)):
        return mark_safe("")
    links: list[SafeString] = []
    before = ""
    for one in variants:
        media = both(one.media, before) if before else one.media
        if one.document is not None:
            links.append(preload_html(one.document, one.presentation, media))
        parts = [f"(not {_in_parentheses(part.strip())})" for part in one.media.split(",")]
        before = " and ".join([before, *parts] if before else parts)
    links.append(preload_html(main.document, presentation, before))
    return format_html_join("", "{}", ((link,) for link in links))


def _is_condition(query: str) -> bool:
    return query.startswith("(") or query.startswith("not (")


def _in_parentheses(query: str) -> str:
    is_single = query.startswith("(") and query.find(")") == len(query) - 1
    return query if is_single else f"({query})"


def variant_of(picture: ShownPicture, media: str, presentation: Presentation) -> Variant:
    """The picture with its own crop."""
    own = replace(presentation, crop=picture.use.crop, crops=picture.use.crops)
    return Variant(media, own, picture.document, picture.image)


def may_show(picture: ShownPicture | None) -> ShownPicture | None:
    """None for what has nothing to show: withdrawn, expired, unpublished."""
    if picture is None or (picture.document is None and picture.image is None):
        return None
    return picture
