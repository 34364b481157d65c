"""What parts of a campaign are done, as JSON lines, so that it goes on where it ended.

``IMAGEPIPE_CAMPAIGN_RESULTS`` names the file (none: nothing is kept),
``IMAGEPIPE_CAMPAIGN_MINUTES`` after how long no further part is begun.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SEED = int(os.environ.get("IMAGEPIPE_CAMPAIGN_SEED", "20261123"))
_RESULTS = os.environ.get("IMAGEPIPE_CAMPAIGN_RESULTS", "")
_MINUTES = float(os.environ.get("IMAGEPIPE_CAMPAIGN_MINUTES", "600"))


class Progress:
    """The parts of one campaign, which are numbered and seeded by their number."""

    def __init__(self, campaign: str, parts: int) -> None:
        self._campaign, self._parts = campaign, parts
        self._end = time.monotonic() + 60 * _MINUTES
        self.done: dict[int, dict[str, Any]] = {}
        if _RESULTS and Path(_RESULTS).exists():
            for line in Path(_RESULTS).read_text("utf-8").splitlines():
                entry = json.loads(line)
                if (entry["campaign"], entry["seed"]) == (campaign, SEED):
                    self.done[entry["part"]] = entry

    def missing(self) -> Iterator[int]:
        """Parts that are not done, until the time is over; at least one."""
        for part in range(self._parts):
            if part not in self.done:
                yield part
                if time.monotonic() > self._end:
                    return

    def note(self, part: int, **found: Any) -> None:
        """A part is done."""
        entry = {"campaign": self._campaign, "seed": SEED, "part": part, **found}
        self.done[part] = entry
        if _RESULTS:
            with open(_RESULTS, "a", encoding="utf-8") as file:
                file.write(json.dumps(entry) + "\n")

    def total(self, name: str) -> dict[str, int]:
        """Counts of a field, added up over all parts that are done."""
        counts: dict[str, int] = {}
        for entry in self.done.values():
            for key, number in entry[name].items():
                counts[key] = counts.get(key, 0) + number
        return counts

    def most(self, name: str) -> float:
        """The largest value of a field."""
        return max((entry[name] for entry in self.done.values()), default=0)
