"""Which package listens to which domain event."""

from __future__ import annotations

from imagepipe.events.bus import (
    AssetChanged,
    MoreDecided,
    MoreRequested,
    PublicationRequested,
    RunEnded,
    RunQueued,
    subscribe,
)


def register() -> None:
    """Subscribe the higher packages; called once from ``AppConfig.ready``."""
    from imagepipe.workflow.dispatch import dispatch_queued

    subscribe(RunQueued, dispatch_queued)
    subscribe(RunEnded, _tell_of_end)
    subscribe(MoreRequested, _tell_of_request)
    subscribe(MoreDecided, _tell_of_decision)
    _register_delivery()
    _register_steps()
    _register_retrieval()


def _tell_of_end(event: RunEnded) -> None:
    from imagepipe.views.notices import tell_of_end  # needs the address of the admin

    tell_of_end(event)


def _tell_of_request(event: MoreRequested) -> None:
    from imagepipe.views.quota_notices import tell_of_request

    tell_of_request(event)


def _tell_of_decision(event: MoreDecided) -> None:
    from imagepipe.views.quota_notices import tell_of_decision

    tell_of_decision(event)


def _register_delivery() -> None:
    """Pages forget at once in this process; everything that writes is left to the worker."""
    from imagepipe.delivery import expiry, outbox, pictures, reconcile, renditions, upkeep
    from imagepipe.delivery.purge import outbox as purges
    from imagepipe.workflow import periodic

    subscribe(AssetChanged, outbox.on_asset_changed)
    subscribe(PublicationRequested, pictures.on_publication_requested)
    periodic.register("reconcile", 1, reconcile.reconcile_now)
    periodic.register("reconcile-purges", 0.5, purges.send_due)  # by name after "reconcile"
    periodic.register("lost-changes", 15, outbox.request_overdue)
    periodic.register("rights-windows", 5, expiry.apply_windows)
    periodic.register("refresh-delivery", 60, upkeep.refresh_documents)
    periodic.register("prewarm", 30, renditions.prewarm_due)
    periodic.register("sweep-masters", 600, upkeep.sweep_masters)


def _register_retrieval() -> None:
    from imagepipe.retrieval import indexing
    from imagepipe.workflow import periodic

    periodic.register("index-pictures", 10, indexing.index_pending)
    periodic.register("index-guides", 10, indexing.index_guides)


def _register_steps() -> None:
    """Kinds of steps that belong to packages above the workflow."""
    from imagepipe.seo.alt_text import bulk
    from imagepipe.workflow.steps import registry

    registry.register(bulk.STEP)
