"""A collection by its name, for commands that work on a part of the library."""

from __future__ import annotations

from django.db.models import QuerySet
from wagtail.models import Collection

from imagepipe.assets.models import Asset
from imagepipe.exceptions import ImagepipeError


def within(assets: QuerySet[Asset], name: str) -> QuerySet[Asset]:
    """Those in the collection and below. Raises ImagepipeError unless one has the name."""
    found = list(Collection.objects.filter(name=name)[:2])
    if len(found) != 1:
        problem = "There is no collection" if not found else "Several collections are named"
        raise ImagepipeError(f"{problem} “{name}”.")
    return assets.filter(collection__in=found[0].get_descendants(inclusive=True))
