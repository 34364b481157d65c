"""What can go wrong with graphs and runs; each message is fit to be shown to a person.

ImagepipeError
├── InvalidGraph     a graph has a cycle, an unknown reference, or is too large
├── InvalidBrief     what was asked for cannot become a run
├── QueueRefused     nothing more may be queued now: the queue is full
│   └── QuotaExceeded    …or a quota is used up
├── StepFailed       a step ended on purpose, with a code and a reason
│   └── PromptRefused    the policy does not allow the prompt
├── LostWork         bytes that an earlier step made are gone or damaged
├── StorageDown      the storage of bytes does not answer
├── UnknownEngine    no task engine has that name, or its software is missing
└── Interrupted      not failures: why a worker stops between two computations
    ├── RunCancelled     somebody asked to stop
    ├── TurnEnded        the run is paused, or makes way for an urgent one
    └── WorkerStopping   the worker itself is asked to stop; the run goes back to the queue
"""

from __future__ import annotations

from typing import Any

from imagepipe.exceptions import ImagepipeError


class InvalidGraph(ImagepipeError):
    """A graph has a cycle, an unknown reference, or is too large."""

    code = "invalid-graph"


class InvalidBrief(ImagepipeError):
    """What was asked for cannot become a run; ``field`` names the culprit, or is empty."""

    code = "invalid-brief"

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field
        self.index: int | None = None
        """Which of several things of one kind it is about, from 0; None: there is but one."""


class QueueRefused(ImagepipeError):
    """Nothing more may be queued now; the message says when, or whom to ask."""

    code = "queue-full"


class QuotaExceeded(QueueRefused):
    """A quota is used up; ``quota`` is what more may be asked of with ``RequestMore``."""

    code = "quota-exceeded"

    def __init__(self, quota: Any, message: str) -> None:
        super().__init__(message)
        self.quota = quota


class StepFailed(ImagepipeError):
    """A step ended on purpose, with a stable ``code`` and a reason for people."""

    code = "step-failed"


class PromptRefused(StepFailed):
    """The policy does not allow the prompt."""

    code = "prompt-refused"


class LostWork(ImagepipeError):
    """Bytes that an earlier step made are gone or damaged."""

    code = "lost-work"


class StorageDown(ImagepipeError):
    """The storage of bytes does not answer; nothing is lost by waiting."""

    code = "storage-down"
    retryable = True
    outage = True


class UnknownEngine(ImagepipeError):
    """No task engine has that name, or its software is missing."""

    code = "unknown-engine"


class Interrupted(ImagepipeError):
    """Why a worker stops between two computations, without a failure."""

    code = "interrupted"


class RunCancelled(Interrupted):
    """Somebody asked to stop."""

    code = "cancelled"


class TurnEnded(Interrupted):
    """The run is paused, or makes way for an urgent one; it goes back to the queue."""

    code = "turn-ended"


class WorkerStopping(Interrupted):
    """The worker itself is asked to stop; the run goes back to the queue."""

    code = "worker-stopping"
