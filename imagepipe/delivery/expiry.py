"""Rights that begin and end by the clock.

The grant carries the window, so the edges refuse by themselves; here Wagtail's own doors
(media files, renditions) follow: a placeholder outside the window, the picture inside. The
same job hides what lies there without any right to, whatever has put it there.
"""

from __future__ import annotations

import datetime as dt

from django.db.models import Q
from django.utils import timezone

from imagepipe.assets.models import Asset
from imagepipe.delivery.images import project_image
from imagepipe.delivery.placeholder import NAME_PATTERN
from imagepipe.delivery.visibility import standing
from imagepipe.rights.models import RightsRecord


def apply_windows(now: dt.datetime | None = None) -> list[str]:
    """Close and open what is due; return the uids of the assets touched."""
    now = now or timezone.now()
    managed = Asset.objects.exclude(image=None)
    closed = Q(rights__valid_until__lte=now) | Q(rights__valid_from__gt=now)
    inside = Q(rights__valid_from__lte=now) & (
        Q(rights__valid_until__isnull=True) | Q(rights__valid_until__gt=now)
    )
    uncleared = Q(rights__persons=RightsRecord.Persons.MISSING)
    closed |= uncleared | (Q(published_version=None) & ~standing())
    shut = managed.filter(closed).exclude(image__file__regex=NAME_PATTERN)
    opened = managed.filter(
        inside & ~uncleared,
        standing() | Q(published_version__isnull=False),
        image__file__regex=NAME_PATTERN,
        rights__markets=[],
    )
    touched = []
    for asset in [*shut, *opened]:
        project_image(asset.uid)
        touched.append(asset.uid.hex)
    return touched
