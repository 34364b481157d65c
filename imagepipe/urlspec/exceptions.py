"""Errors of the delivery URL grammar.

UrlspecError (ValueError)
├── InvalidTransform   the transform text or value says something the grammar does not allow
├── InvalidPath        the path is not in the one canonical spelling
├── InvalidKeyring     the key document cannot be read
└── UntrustedUrl       the URL must not be served
    ├── UnknownKey     signed with a key that is not (or no longer) known
    ├── BadSignature   the signature does not belong to the path
    └── Expired        a preview URL after its end
"""

from __future__ import annotations


class UrlspecError(ValueError):
    """Base of every error here; `reason` is one plain sentence that may be shown to anybody."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class InvalidTransform(UrlspecError):
    """A transform says something the grammar does not allow."""


class InvalidPath(UrlspecError):
    """A path is malformed, or not in its canonical spelling."""


class InvalidKeyring(UrlspecError):
    """A key document cannot be read, or names no usable active key."""


class UntrustedUrl(UrlspecError):
    """A well-formed URL that must not be served."""


class UnknownKey(UntrustedUrl):
    """The URL names a signing key that is not known."""


class BadSignature(UntrustedUrl):
    """The signature does not belong to the path."""


class Expired(UntrustedUrl):
    """The URL carries an end, and it has passed."""
