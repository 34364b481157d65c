"""Rights that begin and end by the clock.

The grant carries the window, so the edges refuse by themselves; here Wagtail's own doors
(media files, renditions) follow: a placeholder outside the window, the picture inside.
"""

from __future__ import annotations

import datetime as dt

from django.db.models import Q
from django.utils import timezone

from imagepipe.assets.models import Asset
from imagepipe.delivery.images import project_image

PLACEHOLDER = "-not-available"


def apply_windows(now: dt.datetime | None = None) -> list[str]:
    """Close and open what is due; return the uids of the assets touched."""
    now = now or timezone.now()
    published = Asset.objects.exclude(published_version=None).exclude(image=None)
    closed = Q(rights__valid_until__lte=now) | Q(rights__valid_from__gt=now)
    shut = published.filter(closed).exclude(image__file__contains=PLACEHOLDER)
    inside = Q(rights__valid_from__lte=now) & (
        Q(rights__valid_until__isnull=True) | Q(rights__valid_until__gt=now)
    )
    opened = published.filter(inside, image__file__contains=PLACEHOLDER, rights__markets=[])
    touched = []
    for asset in [*shut, *opened]:
        project_image(asset.uid)
        touched.append(asset.uid.hex)
    return touched
