"""What time itself changes: ends of rights, the freshness of documents, replaced masters."""

from __future__ import annotations

import datetime as dt

from django.utils import timezone

from imagepipe.assets.models import Asset, AssetVersion
from imagepipe.conf import get_settings
from imagepipe.delivery import feeds, storage
from imagepipe.delivery.grants import build_grant
from imagepipe.delivery.lease import Lease
from imagepipe.delivery.models import Publication
from imagepipe.grants import grant_path, seal
from imagepipe.provenance.keys import load_grant_signer

SWEEP_AGE = dt.timedelta(minutes=5)


def refresh_documents() -> int:
    """Issue the feed anew, and grants that have used up half of their life; return how many.

    The generation stays the same: nothing has changed but the date.
    """
    with Lease() as lease:
        if not lease.held:
            return 0
        signer = load_grant_signer()
        feeds.write_all_feeds(signer)
        store = storage.delivery_storage()
        half = dt.timedelta(seconds=get_settings().GRANT_LIFETIME / 2)
        refreshed = 0
        for publication in Publication.objects.filter(observed__gt=0).iterator(chunk_size=200):
            asset = Asset.objects.select_related("published_version").get(
                pk=publication.asset_id
            )
            name = grant_path(asset.uid.hex)
            if store.exists(name) and timezone.now() - store.get_modified_time(name) < half:
                continue
            if publication.observed != publication.desired:
                continue  # the reconciler is about to write it
            lease.renew()
            now = int(timezone.now().timestamp())
            grant = build_grant(asset, sequence=publication.observed, now=now)
            storage.put(name, seal(grant.to_dict(), signer.key, signer.key_id))
            refreshed += 1
    return refreshed


def sweep_masters() -> list[str]:
    """Delete masters that nothing published needs; return their hashes.

    Replaced masters stay for a few minutes, until every edge has read the new grant.
    """
    store = storage.delivery_storage()
    removed: list[str] = []
    if not store.exists("masters"):
        return removed
    with Lease() as lease:
        if not lease.held:
            return removed
        for folder in store.listdir("masters")[0]:
            _folders, names = store.listdir(f"masters/{folder}")
            needed = set(
                AssetVersion.objects.filter(
                    state=AssetVersion.State.PUBLISHED, sha256__in=names
                ).values_list("sha256", flat=True)
            )
            lease.renew()
            for name in sorted(set(names) - needed):
                path = f"masters/{folder}/{name}"
                if timezone.now() - store.get_modified_time(path) >= SWEEP_AGE:
                    storage.remove(path)
                    storage.remove(f"credentials/{name}.parent")
                    removed.append(name)
    return removed
