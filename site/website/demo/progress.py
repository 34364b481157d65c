"""Says on the terminal what is being done, and how far it is."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

Report = Callable[[str], None]
PAUSE = 5.0
"""Seconds between two lines where there is no terminal."""


class Progress:
    """One line per step: on a terminal it is rewritten while the step goes on."""

    def __init__(self, output: TextIO) -> None:
        self._output = output
        self._live = output.isatty()

    @contextmanager
    def step(self, title: str) -> Iterator[Report]:
        """Show a step; the value is a function that shows how far it is."""
        start = time.monotonic()
        shown, shown_at = "", start

        def report(text: str) -> None:
            nonlocal shown, shown_at
            if text == shown:
                return
            shown = text
            if self._live:
                self._write(f"\r\x1b[K  … {title}: {text}")
            elif time.monotonic() - shown_at >= PAUSE:
                shown_at = time.monotonic()
                self._write(f"  … {title}: {text}\n")

        if self._live:
            self._write(f"\r\x1b[K  … {title}")
        else:
            self._write(f"  … {title}\n")
        try:
            yield report
        except BaseException:
            self._finish("✗", title, start, shown)
            raise
        self._finish("✓", title, start, shown)

    def _finish(self, mark: str, title: str, start: float, shown: str) -> None:
        tail = f": {shown}" if shown else ""
        begin = "\r\x1b[K" if self._live else ""
        seconds = time.monotonic() - start
        self._write(f"{begin}  {mark} {title}{tail} ({seconds:.1f} s)\n")

    def _write(self, text: str) -> None:
        self._output.write(text)
        self._output.flush()
