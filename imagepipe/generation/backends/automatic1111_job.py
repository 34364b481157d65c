"""One job on a web UI that works on one thing at a time and that others may use as well."""

from __future__ import annotations

import threading
from typing import Any

from imagepipe.generation.backends.answers import MAX_PREVIEW, decode_base64, read_preview
from imagepipe.generation.backends.progress import Progress
from imagepipe.generation.backends.remote import Remote
from imagepipe.generation.exceptions import GenerationError, InvalidPicture

SHORT_SECONDS = 10.0
"""For calls that only ask."""

_turns: dict[str, threading.Lock] = {}
_turns_lock = threading.Lock()


def turn_at(origin: str) -> threading.Lock:
    """Return the lock that jobs of this process at one server wait for."""
    with _turns_lock:
        return _turns.setdefault(origin, threading.Lock())


class Job:
    """Our job on a server that others may use as well."""

    def __init__(self, remote: Remote, poll: float) -> None:
        self._remote = remote
        self._poll = poll
        self._foreign = self._timestamp(self._ask())

    def look(self, progress: Progress) -> None:
        """Tell how far our job is."""
        state = self._ask()
        step, steps = _count(state, "sampling_step"), _count(state, "sampling_steps")
        if not steps or not self._is_ours(state) or step <= progress.done:
            progress.still_there()
            return
        progress.reach(min(step, steps), steps, self._preview())

    def stop(self, ended: threading.Event) -> None:
        """Interrupt our job as soon as the server works on it, until its call has ended."""
        while not ended.is_set():
            state = self._ask()
            if _count(state, "job_count") and self._is_ours(state):
                try:
                    self._remote.call("POST", "/sdapi/v1/interrupt", timeout=SHORT_SECONDS)
                except GenerationError:
                    return
            ended.wait(self._poll)

    def _is_ours(self, state: dict[str, Any]) -> bool:
        """Whether it is not the job that was there before ours was sent."""
        timestamp = self._timestamp(state)
        if timestamp != self._foreign:
            self._foreign = ""
        return not timestamp or timestamp != self._foreign

    def _timestamp(self, state: dict[str, Any]) -> str:
        return str(state.get("job_timestamp")) if _count(state, "job_count") else ""

    def _ask(self) -> dict[str, Any]:
        data = self._progress(skip=True)
        state = data.get("state")
        return state if isinstance(state, dict) else {}

    def _preview(self) -> bytes | None:
        image = self._progress(skip=False).get("current_image")
        if not image:
            return None
        try:
            return read_preview(decode_base64(image, MAX_PREVIEW))
        except InvalidPicture:
            return None

    def _progress(self, skip: bool) -> dict[str, Any]:
        """Progress is not worth a failure: the call itself tells what went wrong."""
        try:
            data = self._remote.get_json(
                "/sdapi/v1/progress",
                timeout=SHORT_SECONDS,
                skip_current_image="true" if skip else "false",
            )
        except GenerationError:
            return {}
        return data if isinstance(data, dict) else {}


def _count(state: dict[str, Any], name: str) -> int:
    value = state.get(name)
    return value if isinstance(value, int) and 0 <= value < 100_000 else 0
