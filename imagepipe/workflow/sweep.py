"""Deletes what killed workers leave: half-written files, bytes and previews of nobody."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterator
from dataclasses import dataclass

from django.core.files.storage import Storage
from django.utils import timezone

from imagepipe.conf import get_settings
from imagepipe.workflow import blobs
from imagepipe.workflow.models import FINISHED, Candidate, Run, StepRun
from imagepipe.workflow.steps import registry

logger = logging.getLogger("imagepipe.workflow")


@dataclass(frozen=True, slots=True)
class Swept:
    """How many files were deleted."""

    partial: int = 0
    unnamed: int = 0
    previews: int = 0


def sweep(kept_seconds: float = blobs.KEPT_SECONDS) -> Swept:
    """Delete files older than ``kept_seconds`` that nothing names, and previews of ended runs.

    Bytes that a step or a candidate names are never touched. Safe beside running workers as
    long as no step takes longer than ``kept_seconds`` from keeping bytes to naming them.
    """
    storage = get_settings().private_storage
    before = timezone.now() - dt.timedelta(seconds=kept_seconds)
    swept = Swept(
        _delete(storage, _old(storage, blobs.PARTIAL, before)),
        _delete(storage, _unnamed(storage, before)),
        _delete(storage, _previews_of_ended(storage)),
    )
    if swept != Swept():
        logger.info("swept %s", swept)
    return swept


def _unnamed(storage: Storage, before: dt.datetime) -> Iterator[str]:
    old = {
        name.rpartition("/")[2]: name
        for folder in _list(storage, "work")[0]
        for name in _old(storage, f"work/{folder}", before)
    }
    if not old:
        return
    outputs = StepRun.objects.exclude(output=None)
    more = [(s.kind, key) for s in registry.every() for key in s.blobs if key != "sha256"]
    for rows in (
        outputs.values_list("output__sha256", flat=True),
        *(outputs.filter(kind=k).values_list(f"output__{key}", flat=True) for k, key in more),
        Candidate.objects.values_list("sha256", flat=True),
    ):
        for sha256 in rows.iterator():
            old.pop(sha256, None)
    for kept in Run.objects.values_list("request__pictures", flat=True).iterator():
        for sha256 in kept or ():
            old.pop(sha256, None)
    yield from old.values()


def _previews_of_ended(storage: Storage) -> Iterator[str]:
    folders = _list(storage, "previews")[0]
    for start in range(0, len(folders), 500):
        batch = folders[start : start + 500]
        rows = Run.objects.filter(uid__in=[uid for uid in batch if len(uid) == 32])
        living = {
            uid.hex for uid in rows.exclude(state__in=FINISHED).values_list("uid", flat=True)
        }
        for uid in set(batch) - living:
            for name in _list(storage, f"previews/{uid}")[1]:
                yield f"previews/{uid}/{name}"


def _old(storage: Storage, folder: str, before: dt.datetime) -> Iterator[str]:
    for name in _list(storage, folder)[1]:
        path = f"{folder}/{name}"
        try:
            if storage.get_modified_time(path) < before:
                yield path
        except FileNotFoundError:
            continue


def _list(storage: Storage, folder: str) -> tuple[list[str], list[str]]:
    try:
        return storage.listdir(folder)
    except FileNotFoundError:
        return [], []


def _delete(storage: Storage, names: Iterator[str]) -> int:
    count = 0
    for name in names:
        storage.delete(name)
        count += 1
    return count
