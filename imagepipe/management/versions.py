"""How a version is named on the command line."""

from __future__ import annotations

import uuid

from django.core.management.base import CommandError

from imagepipe.assets.models import AssetVersion

VERSION = "UID of a picture, UID/NUMBER, or SHA-256 of a master (its beginning)"
SHORTEST_HASH = 8


def find_version(text: str) -> AssetVersion:
    """Return the generated version that is meant. Raises ``CommandError``."""
    name, _slash, number = text.strip().partition("/")
    versions = AssetVersion.objects.select_related("asset__collection")
    try:
        versions = versions.filter(asset__uid=uuid.UUID(name))
    except ValueError:
        if len(name) < SHORTEST_HASH or not name.isalnum():
            raise CommandError(
                "Name a picture by its UID, UID/NUMBER, or the SHA-256 of its master."
            ) from None
        versions = versions.filter(sha256__startswith=name.lower())
    if number:
        versions = versions.filter(number=int(number) if number.isdecimal() else 0)
    found = versions.exclude(recipe=None).order_by("-number").first()
    if found is None:
        raise CommandError(f"There is no generated version “{text[:80]}”.")
    return found
