"""The reconciler: makes the delivery storage say what the database says.

Order of writing: master, parent credential, grant, feed, Wagtail image; only then the
generation counts as observed, and withdrawn masters are deleted. Everything before that is
repeatable, so a crash at any point is repaired by the next round. One process at a time holds
the lease; it is renewed before each asset.
"""

from __future__ import annotations

import datetime as dt
import logging
from dataclasses import dataclass, field

from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from imagepipe.assets import masters
from imagepipe.assets.models import Asset, AssetVersion
from imagepipe.delivery import feeds, images, storage
from imagepipe.delivery.grants import build_grant
from imagepipe.delivery.lease import Lease
from imagepipe.delivery.models import Publication
from imagepipe.delivery.pictures import forget
from imagepipe.delivery.purge.outbox import request_purge
from imagepipe.delivery.purge.probe import probe_of
from imagepipe.delivery.scenes import find_scene, known_content
from imagepipe.exceptions import ImagepipeError, LeaseLost
from imagepipe.grants import Grant, grant_path, master_path, parent_path, seal, shard_of
from imagepipe.provenance.keys import GrantSigner, load_grant_signer
from imagepipe.provenance.masters import can_sign, cms_signer, seal_uploaded
from imagepipe.urlspec import UrlspecError

logger = logging.getLogger("imagepipe.delivery")

BATCH = 50
LONGEST_PAUSE = 300  # seconds between attempts


@dataclass
class Round:
    """What one round did: uids of assets written, and of those that failed."""

    written: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    busy: bool = False
    """Another process holds the lease."""

    def __bool__(self) -> bool:
        return bool(self.written or self.failed)


def reconcile_now(*, asset: Asset | None = None, limit: int = BATCH) -> Round:
    """Do what is due (or this asset, due or not) and return when it is done."""
    result = Round()
    if asset is None and not due(timezone.now()).exists():
        return result
    with Lease() as lease:
        if not lease.held:
            result.busy = True
            return result
        signer = load_grant_signer()
        chosen = due(timezone.now())
        if asset is not None:
            chosen = Publication.objects.filter(asset=asset)
        for publication in chosen.select_related("asset")[:limit]:
            try:
                lease.renew()
                _reconcile(publication, signer, lease)
            except LeaseLost:
                break
            except Exception as error:
                logger.exception("publication failed", extra={"asset": str(publication)})
                _note_failure(publication, error)
                result.failed.append(publication.asset.uid.hex)
            else:
                result.written.append(publication.asset.uid.hex)
    return result


def due(now: dt.datetime) -> QuerySet[Publication]:
    """Publications with something to write, oldest change first."""
    waiting = Q(observed__lt=F("desired")) | ~Q(stale_media=[])
    ready = Q(retry_at__isnull=True) | Q(retry_at__lte=now)
    return Publication.objects.filter(waiting, ready).order_by("changed_at", "pk")


def _reconcile(publication: Publication, signer: GrantSigner, lease: Lease) -> None:
    if publication.desired == 0:  # never published: only files are left to be deleted
        images.project_image(publication.asset.uid)
        return
    _find_scenes(publication.asset)
    _show_placeholder(publication.pk)
    target, asset, grant = _snapshot(publication.pk)
    for version in grant.versions:
        if version.state == "published":
            _write_master(asset, version.sha256)
    lease.renew()
    storage.put(grant_path(grant.asset), seal(grant.to_dict(), signer.key, signer.key_id))
    shard = shard_of(grant.asset)
    feeds.append(grant.asset, shard, grant.sequence, grant.tags)
    feeds.write_feed(shard, signer)
    _request_purge(grant)
    images.project_image(asset.uid, purge=True)
    for version in grant.versions:
        if version.state == "withdrawn":
            remove_master(version.sha256)
    done = Publication.objects.filter(pk=publication.pk, observed__lt=target)
    done.update(observed=target)
    Publication.objects.filter(pk=publication.pk).update(
        last_error="", attempts=0, retry_at=None
    )


def _request_purge(grant: Grant) -> None:
    """Tell edges and CDNs, which would notice by themselves later; never a reason to fail."""
    try:
        request_purge(asset=grant.asset, probe=probe_of(grant, grant.issued_at))
    except (ImproperlyConfigured, ImagepipeError, UrlspecError) as error:
        logger.error("purges cannot be requested: %s", error)


def _find_scenes(asset: Asset) -> None:
    """Before the snapshot: nobody waits for a database that looks for faces."""
    published = asset.versions.filter(state=AssetVersion.State.PUBLISHED)
    for sha256 in set(published.values_list("sha256", flat=True)):
        find_scene(sha256)


def _show_placeholder(publication_id: int) -> None:
    """Tell pages what stands in the picture's place while it loads, if they do not know."""
    with transaction.atomic():
        publication = (
            Publication.objects.select_for_update(of=("self",))
            .select_related("asset__published_version")
            .get(pk=publication_id)
        )
        version, document = publication.asset.published_version, publication.document
        if version is None or not document.get("published"):
            return
        found = known_content(version.sha256).placeholder
        if found is None or document.get("placeholder") == found:
            return
        document = {**document, "placeholder": found}
        Publication.objects.filter(pk=publication_id).update(document=document)
    forget(publication.asset.uid.hex)


def _snapshot(publication_id: int) -> tuple[int, Asset, Grant]:
    """Generation and grant as of one moment."""
    with transaction.atomic():
        publication = Publication.objects.select_for_update().get(pk=publication_id)
        asset = Asset.objects.select_related("published_version").get(pk=publication.asset_id)
        now = int(timezone.now().timestamp())
        grant = build_grant(asset, sequence=publication.desired, now=now)
    return publication.desired, asset, grant


def _write_master(asset: Asset, sha256: str) -> None:
    name, parent = master_path(sha256), parent_path(sha256)
    store = storage.delivery_storage()
    wants_parent = can_sign() and not store.exists(parent)
    if store.exists(name) and not wants_parent:
        return
    content = masters.read(sha256)
    storage.put_once(name, content)
    if wants_parent:
        version = asset.versions.filter(sha256=sha256).latest("number")
        prepared = _prepare_parent(version, content)
        if prepared is not None:
            storage.put(parent, prepared)


def _prepare_parent(version: AssetVersion, content: bytes) -> bytes | None:
    """What the edge derives its renditions' credentials from, computed once.

    An upload without credentials gets them here, on a copy: its master stays as it came.
    None for a picture that cannot carry any, or whose own are broken: it is delivered with
    its XMP marking only.
    """
    from imagepipe.credentials import CredentialsError

    title = version.asset.title
    try:
        sealed = seal_uploaded(
            content, version.mime, title=title, source_type=version.source_type
        )
        return cms_signer().prepare_parent(sealed, version.mime, title=title).to_bytes()
    except CredentialsError as error:
        logger.warning("no parent credential for %s: %s", version.sha256, error)
        return None


def remove_master(sha256: str) -> None:
    """Take a master out of the delivery storage unless something published needs the bytes.

    The private storage keeps it.
    """
    if not AssetVersion.objects.filter(
        sha256=sha256, state=AssetVersion.State.PUBLISHED
    ).exists():
        storage.remove(master_path(sha256))
        storage.remove(parent_path(sha256))


def _note_failure(publication: Publication, error: Exception) -> None:
    attempts = publication.attempts + 1
    pause = min(2**attempts, LONGEST_PAUSE)
    Publication.objects.filter(pk=publication.pk).update(
        attempts=min(attempts, 1000),
        retry_at=timezone.now() + dt.timedelta(seconds=pause),
        last_error=f"{type(error).__name__}: {error}"[:2000],
    )
