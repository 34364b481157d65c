from __future__ import annotations

from imagepipe.exceptions import ImagepipeError


class UnusablePicture(ImagepipeError):
    """A file cannot be used as a picture. ``code`` is stable and names the reason."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
