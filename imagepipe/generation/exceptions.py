"""What can go wrong while a picture is made; each message is fit to be shown to a person.

GenerationError
├── Cancelled            the caller asked to stop
├── InvalidRequest       the request makes no sense for any backend
├── InvalidRecipe        a recipe document is malformed
├── UnsupportedRequest   this backend or model cannot do what was asked
├── UnknownBackend       no backend has that name
├── BackendUnavailable   the backend's software is not installed or is set up wrongly
├── BackendDown          a backend elsewhere does not answer at the moment
│   └── BackendBusy          …or says that it has too much to do
├── RequestRefused       a backend elsewhere refused what was asked
├── InvalidAnswer        what a backend elsewhere answered is not what it should be
├── ModelNotFound        the model's folder or hub entry is not on this machine
├── UnsafeModel          the model could run code, or its weights are not safetensors
├── InvalidModel         the model's files cannot be read as a pipeline
├── OutOfMemory          not enough memory; fewer pixels may work
└── InvalidPicture       the backend finished without a usable picture
"""

from __future__ import annotations

from imagepipe.exceptions import ImagepipeError


class GenerationError(ImagepipeError):
    """Base of the errors of this package.

    ``code`` is stable and fit for logs and translations. ``retryable`` says whether the
    same request may succeed later without anybody changing anything.
    """

    code = "generation-failed"
    retryable = False


class Cancelled(GenerationError):
    """The caller asked to stop; raise it from ``on_step``."""

    code = "cancelled"


class InvalidRequest(GenerationError):
    """The request makes no sense for any backend."""

    code = "invalid-request"


class InvalidRecipe(GenerationError):
    """A recipe document is malformed."""

    code = "invalid-recipe"


class UnsupportedRequest(GenerationError):
    """This backend or model cannot do what was asked."""

    code = "unsupported-request"


class UnknownBackend(GenerationError):
    """No backend is registered under that name."""

    code = "unknown-backend"


class BackendUnavailable(GenerationError):
    """The backend's software is not installed, or the backend is set up wrongly."""

    code = "backend-unavailable"


class BackendDown(GenerationError):
    """A backend elsewhere does not answer, or answers that it is overloaded.

    ``retry_after``: seconds until it wants to be asked again, when it said so.
    """

    code = "backend-down"
    retryable = True
    outage = True

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class BackendBusy(BackendDown):
    """A backend elsewhere has too much to do, or its rate limit is reached."""

    code = "backend-busy"


class RequestRefused(GenerationError):
    """A backend elsewhere refused what was asked; asking again changes nothing."""

    code = "request-refused"


class InvalidAnswer(GenerationError):
    """What a backend elsewhere answered is not what its interface promises."""

    code = "invalid-answer"


class ModelNotFound(GenerationError):
    """The model's folder or hub entry is not on this machine."""

    code = "model-not-found"


class UnsafeModel(GenerationError):
    """The model brings code of its own, or weights in a format that can run code."""

    code = "unsafe-model"


class InvalidModel(GenerationError):
    """The model's files cannot be read as a pipeline."""

    code = "invalid-model"


class OutOfMemory(GenerationError):
    """Not enough memory for this request at this moment."""

    code = "out-of-memory"
    retryable = True


class InvalidPicture(GenerationError):
    """The backend finished without a usable picture."""

    code = "invalid-picture"
