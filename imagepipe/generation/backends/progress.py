"""Telling of progress that comes in jumps, and watching calls that block."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from imagepipe.generation.request import OnStep

QUIET_SECONDS = 1.0


class Progress:
    """Calls ``on_step`` for every step once, also for those that nobody saw.

    Everything here raises what ``on_step`` raises.
    """

    def __init__(self, on_step: OnStep | None, steps: int) -> None:
        self._on_step = on_step
        self._steps = steps
        self._done = 0
        self._tell(None)

    @property
    def done(self) -> int:
        return self._done

    def reach(self, step: int, steps: int = 0, preview: bytes | None = None) -> None:
        """Tell all steps up to ``step``; the first ``steps`` given holds for the whole."""
        if step > 0 and not self._done and steps > 0:
            self._steps = steps
        step = min(step, self._steps)
        while self._done < step:
            self._done += 1
            self._tell(preview if self._done == step else None)

    def still_there(self) -> None:
        """Tell the last step again if it was a while ago: the chance to stop."""
        if time.monotonic() - self._told_at >= QUIET_SECONDS:
            self._tell(None)

    def finish(self) -> None:
        """Tell what is missing up to the end."""
        self.reach(self._steps)

    def _tell(self, preview: bytes | None) -> None:
        self._told_at = time.monotonic()
        if self._on_step:
            self._on_step(self._done, self._steps, preview)


def watch(call: Callable[[], Any], look: Callable[[], None], every: float) -> Any:
    """Return what ``call`` returns; it runs in a thread, ``look`` is called meanwhile.

    What ``look`` raises is raised at once; the thread then ends unheard.
    """
    done = threading.Event()
    outcome: list[Any] = []
    failure: list[BaseException] = []

    def work() -> None:
        try:
            outcome.append(call())
        except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
            failure.append(error)
        finally:
            done.set()

    threading.Thread(target=work, name="imagepipe-engine", daemon=True).start()
    while not done.wait(every):
        look()
    if failure:
        raise failure[0]
    return outcome[0]
