"""Puts the parts of one process together."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from dataclasses import dataclass

from edge.allocator import give_back
from edge.config import EdgeConfig
from edge.exceptions import Refusal
from edge.explain import Explainer
from edge.follower import JOURNAL_SECONDS, TIDY_SECONDS, Chore, Follower
from edge.forgetting import Forgetter
from edge.grants import GrantBook
from edge.hits import HitCache
from edge.iiif.production import Workshop
from edge.iiif.service import ImageService
from edge.keys import EdgeKeys
from edge.marking import Marker
from edge.metrics import Metrics
from edge.orders import OrderDesk
from edge.pictures import PictureHandler
from edge.placement import MARGIN, Placement, Shelf
from edge.placing import Placer
from edge.production import Producer
from edge.purging import PurgeJournal
from edge.sequences import SequenceMemory
from edge.storages import open_source
from edge.visitors import Visitors

logger = logging.getLogger("edge")

COUNT_SECONDS = 2.0


@dataclass
class Parts:
    """What the application needs to answer."""

    metrics: Metrics
    book: GrantBook
    producer: Producer
    pictures: PictureHandler
    iiif: ImageService | None
    hits: HitCache
    follower: Follower
    orders: OrderDesk | None
    placer: Placer | None
    checks: dict[str, Callable[[], bool]]

    def note_state(self) -> None:
        """Bring the numbers of this process up to date."""
        self.metrics.count_hits(self.hits.take_counts())
        self.metrics.feed_fresh.set(int(self.follower.is_fresh))
        self.metrics.note_memory(
            self.hits.bytes_held, self.producer.memory.bytes_held, self.book.size
        )

    def close(self) -> None:
        """Stop the background threads."""
        self.follower.stop()
        if self.placer is not None:
            self.placer.stop()
        self.producer.close()


def assemble(config: EdgeConfig, clock: Callable[[], float] = time.time) -> Parts:
    """Raises ConfigError for unusable files."""
    config.check()
    metrics = Metrics()
    source = open_source(config)
    memory = SequenceMemory(config.cache / "sequences.json")
    keys = EdgeKeys.load(config)
    if keys.identity is None:
        logger.warning("no signing identity: pictures carry XMP but no content credentials")
    if config.test_market:
        logger.warning("every visitor counts as one from %s", config.test_market)
    marker = Marker(
        source,
        keys.identity,
        metrics,
        config.embed_from,
        config.embed_most,
        config.metadata,
    )
    producer = Producer(config, source, marker, metrics)
    hits = HitCache(
        config.memory_bytes // 2, lambda asset: _current(book, asset), config.recheck
    )
    shelf = None if config.placed is None else Shelf(config.placed, config.placed_bytes)
    workshop = Workshop(config, source, marker, metrics)
    disks = producer.disk, workshop.disk
    forgetter = Forgetter(hits, producer.memory, disks, shelf)
    book = GrantBook(
        source,
        keys.grants,
        memory.guard,
        lambda asset: forgetter.changed(book, asset),
        config.grace,
        lambda shard: forgetter.lost(shard, is_right),
    )
    pictures = PictureHandler(config, keys.urls, book, producer, clock)

    def is_right(item: Placement) -> bool:
        return _may_be_placed(pictures, item, clock)

    journal = PurgeJournal(
        config.cache / "purges.jsonl", lambda order: forgetter.carry_out(order, book)
    )
    chores = [
        *(Chore(TIDY_SECONDS, "the cache was not tidied", disk.tidy) for disk in disks),
        Chore(JOURNAL_SECONDS, "purges were not read", lambda: _follow(journal, follower)),
        Chore(TIDY_SECONDS, "memory was not given back", give_back),
        Chore(COUNT_SECONDS, "hits were not counted", lambda: parts.note_state()),
    ]
    placer = None
    if shelf is not None:
        shelf.allow(keys.urls)
        placer = Placer(shelf, is_right)
        chores += [
            Chore(TIDY_SECONDS, "the placed pictures were not tidied", shelf.sweep),
            Chore(config.poll, "nginx was not let in", lambda: _open(shelf, follower)),
        ]
    follower = Follower(book, memory, config.poll, chores)
    orders = None
    if keys.orders is not None:
        explainer = Explainer(pictures, producer, Visitors(config))
        orders = OrderDesk(keys.orders, book, forgetter, journal, explainer, follower.poll)
    checks: dict[str, Callable[[], bool]] = {
        "storage": source.is_readable,
        "feed": lambda: follower.is_fresh,
        "cache": lambda: os.access(config.cache, os.W_OK),
    }
    iiif = ImageService(config, book, workshop, clock) if config.iiif else None
    parts = Parts(
        metrics, book, producer, pictures, iiif, hits, follower, orders, placer, checks
    )
    return parts


def _current(book: GrantBook, asset: str) -> object | None:
    try:
        return book.get(asset)
    except Refusal:
        return None


def _open(shelf: Shelf, follower: Follower) -> None:
    """Only after the feed was read, which looks through what lies there."""
    if follower.is_fresh:
        shelf.open()


def _follow(journal: PurgeJournal, follower: Follower) -> None:
    if journal.follow():
        follower.poll()


def _may_be_placed(
    pictures: PictureHandler, item: Placement, clock: Callable[[], float]
) -> bool:
    """Whether everybody may see this picture now, by the newest grant."""
    now = int(clock())
    try:
        terms = pictures.terms_of(item.address, now)
    except Refusal:
        return False
    if terms is None or not terms.is_open:
        return False
    return terms.until >= item.until > now + MARGIN
