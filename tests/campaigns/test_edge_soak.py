"""Mixed work for a long time: what a worker's memory does.

A sample in the suite; ``IMAGEPIPE_CAMPAIGN_SOAK=3600`` (seconds) is the whole campaign.
``IMAGEPIPE_CAMPAIGN_SOAK_CORES`` is the share of a core that edge and visitors may use
together, ``IMAGEPIPE_CAMPAIGN_SOAK_LOG`` a file for the samples (CSV).
"""

from __future__ import annotations

import itertools
import os
import statistics
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.campaigns.edge_visitors import Site, Visitor, photographs
from tests.campaigns.test_edge_faults import children_of

SECONDS = float(os.environ.get("IMAGEPIPE_CAMPAIGN_SOAK", "6"))
CORES = float(os.environ.get("IMAGEPIPE_CAMPAIGN_SOAK_CORES", "1"))
LOG = os.environ.get("IMAGEPIPE_CAMPAIGN_SOAK_LOG", "")
SEED = int(os.environ.get("IMAGEPIPE_CAMPAIGN_SEED", "20261123"))
WORKERS, VISITORS = 2, 8
LARGEST = 150  # MB
IS_WHOLE = SECONDS >= 600
SIDES = (1600, 2400, 4000) if IS_WHOLE else (800, 1600)
MB = 1024 * 1024
TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


def cpu_seconds(pid: int) -> float:
    """User and system time of a process, all its threads together."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def resident(pid: int) -> float:
    """Megabytes."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE / MB


class Throttle:
    """Rests that keep some processes, and this one, at a share of a core."""

    def __init__(self, pids: list[int], cores: float) -> None:
        self._pids, self._cores = [*pids, os.getpid()], cores
        self._begun, self._used = time.monotonic(), self._spent()
        self.rest = 0.0

    def adjust(self) -> None:
        """Lengthen or shorten the rests after what was used so far."""
        used = self._spent() - self._used
        allowed = self._cores * (time.monotonic() - self._begun)
        self.rest = min(5.0, max(0.0, used - allowed) / self._cores)

    @property
    def used(self) -> float:
        """Seconds of CPU so far."""
        return self._spent() - self._used

    def _spent(self) -> float:
        return sum(map(cpu_seconds, self._pids))


def blocks(samples: list[list[float]], count: int) -> Iterator[list[list[float]]]:
    """The samples in equal stretches of time."""
    size = max(1, len(samples) // count)
    return itertools.islice(
        (samples[start : start + size] for start in range(0, len(samples), size)), count
    )


def at_rest(values: Iterable[float]) -> float:
    """What is left while no picture is being made: the lowest twentieth."""
    found = sorted(values)
    return found[len(found) // 20]


def test_mixed_work_for_a_long_time(delivery, start_server, capsys):
    site = Site.of(delivery, photographs(SEED, SIDES))
    server = start_server(
        workers=str(WORKERS),
        renderers="1",  # workers times renderers: the cores
        settle="yes",
        recheck="0.1",
        poll="2",
        disk_bytes=str(256 * MB),
    )
    workers = children_of(server.process.pid)
    throttle, stopped = Throttle([server.process.pid, *workers], CORES), threading.Event()
    visitors = [
        Visitor(server.port, site, SEED + number, stopped, lambda: throttle.rest)
        for number in range(VISITORS)
    ]
    samples: list[list[float]] = []
    begun, beat = time.monotonic(), 1.0 if IS_WHOLE else 0.2
    for visitor in visitors:
        visitor.start()
    while time.monotonic() < begun + SECONDS:
        time.sleep(beat)
        throttle.adjust()
        samples.append([resident(pid) for pid in workers])
        if LOG:
            row = [time.monotonic() - begun, *samples[-1], sum(site.seen.values())]
            with open(LOG, "a", encoding="ascii") as file:
                file.write(",".join(f"{value:.1f}" for value in row) + "\n")
    stopped.set()
    for visitor in visitors:
        visitor.join(timeout=60)

    with capsys.disabled():
        tell(samples, site, throttle.used)
    assert children_of(server.process.pid) == workers, "a worker died"
    assert site.wrong == []
    assert set(site.seen) >= {"look", "not modified", "part", "negotiated", "new", "forged"}
    for number in range(WORKERS):
        least = [at_rest(row[number] for row in block) for block in blocks(samples, 6)]
        assert least[-1] <= LARGEST
        # By half of the time caches are full; what grows on is lost.
        assert not IS_WHOLE or least[-1] - least[3] < 5, least


def tell(samples: list[list[float]], site: Site, used: float) -> None:
    write = sys.stdout.write
    answers = sum(site.seen.values())
    write(f"\n{answers} answers in {SECONDS:.0f} s, {used:.0f} s of CPU: {dict(site.seen)}\n")
    write("resident MB at rest, median and most, by sixth of the time:\n")
    for block in blocks(samples, 6):
        columns = list(zip(*block, strict=True))
        numbers = ((at_rest(c), statistics.median(c), max(c)) for c in columns)
        write(" | ".join("{:.0f} {:.0f} {:.0f}".format(*three) for three in numbers) + "\n")
    everything = sorted(value for row in samples for value in row)
    for part in (0.5, 0.95, 0.99, 1):
        write(f"{part:.0%} at most {everything[int(part * (len(everything) - 1))]:.0f}; ")
    write("\n")
    for wrong in site.wrong[:10]:
        write(f"wrong: {wrong}\n")
