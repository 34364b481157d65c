"""Domain events: frozen facts that higher packages subscribe to in ``AppConfig.ready``.

An event is delivered after the transaction that caused it has been committed, in this
process, in the order of subscription. A failing subscriber is logged and does not stop the
others: what must not be lost is written as a row (see the publication outbox), not as an event.
"""

from __future__ import annotations

import dataclasses
import logging
from collections import defaultdict
from collections.abc import Callable
from typing import Any, TypeVar

from django.db import transaction

logger = logging.getLogger("imagepipe.events")


@dataclasses.dataclass(frozen=True)
class Event:
    """Base of all domain events."""


@dataclasses.dataclass(frozen=True)
class AssetChanged(Event):
    """Something that readers of the asset may show has changed."""

    asset_uid: str


@dataclasses.dataclass(frozen=True)
class PublicationRequested(Event):
    """The outbox has something to reconcile for this asset."""

    asset_uid: str


@dataclasses.dataclass(frozen=True)
class RunQueued(Event):
    """A run is waiting for a worker."""

    run_uid: str


@dataclasses.dataclass(frozen=True)
class RunEnded(Event):
    """A run succeeded, failed or was cancelled."""

    run_uid: str


@dataclasses.dataclass(frozen=True)
class MoreRequested(Event):
    """Somebody asks for more than a quota allows; the key is that of the request."""

    request_id: int


@dataclasses.dataclass(frozen=True)
class MoreDecided(Event):
    """What somebody asked for was granted or refused; the key is that of the request."""

    request_id: int


E_ = TypeVar("E_", bound=Event)
_subscribers: dict[type[Event], list[Callable[[Any], None]]] = defaultdict(list)


def subscribe(kind: type[E_], handler: Callable[[E_], None]) -> None:
    """Call ``handler`` for every event of this kind; subscribing twice has no effect."""
    if handler not in _subscribers[kind]:
        _subscribers[kind].append(handler)


def emit(event: Event) -> None:
    """Deliver the event once the current transaction is committed."""
    transaction.on_commit(lambda: _deliver(event), robust=True)


def _deliver(event: Event) -> None:
    for handler in tuple(_subscribers[type(event)]):
        try:
            handler(event)
        except Exception:
            logger.exception("subscriber failed", extra={"event": type(event).__name__})
