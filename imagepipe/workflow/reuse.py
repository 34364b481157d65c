"""Outputs that earlier steps of equal kind, parameters and inputs have left behind.

What a fallback has made is not taken over: the engine that was asked for may be back.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Collection
from typing import Any

from django.db.models import F, Window
from django.db.models.functions import RowNumber

from imagepipe.workflow import blobs
from imagepipe.workflow.exceptions import LostWork
from imagepipe.workflow.models import RunState, StepRun
from imagepipe.workflow.steps import registry

OF_EACH = 3
"""Outputs that are looked at, the latest first, in case the bytes of one are gone."""
LOOK_AGAIN_AFTER = 2.0
"""Seconds after which other runs may have finished something."""


class Reusable:
    """What is there for these hashes: one query for all steps of a run, now and then anew."""

    def __init__(self, hashes: Collection[str]) -> None:
        self._hashes = hashes
        self._looked_at = float("-inf")
        self._outputs: dict[tuple[str, str], list[dict[str, Any]]] = {}
        self._own: dict[tuple[str, str], dict[str, Any]] = {}

    def outputs(self, kind: registry.Step, input_hash: str) -> list[dict[str, Any]]:
        """Return the outputs that a step of this kind may take over, the latest first."""
        if time.monotonic() - self._looked_at >= LOOK_AGAIN_AFTER:
            self._look()
        key = kind.kind, input_hash
        own = [self._own[key]] if key in self._own else []
        return [*own, *self._outputs.get(key, [])]

    def add(self, step: StepRun) -> None:
        """Remember what this run itself has just finished."""
        skipped = step.source == StepRun.Source.SKIPPED
        if step.input_hash in self._hashes and not skipped and "fallback" not in step.output:
            self._own[step.kind, step.input_hash] = step.output

    def _look(self) -> None:
        self._looked_at = time.monotonic()
        rank = Window(
            RowNumber(), partition_by=[F("kind"), F("input_hash")], order_by=F("pk").desc()
        )
        finished = (
            StepRun.objects.filter(input_hash__in=self._hashes, state=RunState.SUCCEEDED)
            .exclude(source=StepRun.Source.SKIPPED)
            .annotate(rank=rank)
            .filter(rank__lte=OF_EACH)
            .order_by("-pk")
        )
        found = defaultdict(list)
        for kind, input_hash, output in finished.values_list("kind", "input_hash", "output"):
            if "fallback" not in (output or {}):
                found[kind, input_hash].append(output)
        self._outputs = dict(found)


def is_whole(kind: registry.Step, output: dict[str, Any] | None) -> bool:
    """Whether all bytes that the output names are still there and undamaged."""
    if output is None:
        return False
    try:
        for key in kind.blobs:
            blobs.read(output[key])
    except (LostWork, KeyError):
        return False
    return True
