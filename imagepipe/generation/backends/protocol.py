"""The contract of a generation backend; ``tests/contracts/backend_suite.py`` checks it."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from imagepipe.generation.capabilities import Capabilities
from imagepipe.generation.request import ModelReference, OnStep, Request, Result


@runtime_checkable
class Backend(Protocol):
    """An engine that makes one picture per call. Instances are shared between threads."""

    name: str
    version: str

    def capabilities(self, model: ModelReference | None = None) -> Capabilities:
        """Return what is possible with ``model``, or in general without one.

        Cheap: loads no weights. Raises a ``GenerationError`` when the model is unusable.
        """
        ...

    def generate(
        self, request: Request, model: ModelReference, on_step: OnStep | None = None
    ) -> Result:
        """Make one picture; blocks until it is done.

        Raises ``Cancelled`` when ``on_step`` does, else another ``GenerationError``.
        """
        ...
