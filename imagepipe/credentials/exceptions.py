"""What can go wrong with metadata and content credentials.

CredentialsError
 ├─ MalformedXmp       an XMP packet that is not safe or not readable
 ├─ MalformedPicture   bytes that are not a picture of the named type
 ├─ UnsupportedFormat  a picture type, or an operation on it, that is not offered
 ├─ InvalidIdentity    a certificate chain or key that cannot sign
 └─ SigningFailed      the picture could not be signed
"""

from __future__ import annotations


class CredentialsError(ValueError):
    """Metadata or content credentials cannot be read or written."""


class MalformedXmp(CredentialsError):
    """The XMP packet is too large, not XML, not XMP, or declares a document type."""


class MalformedPicture(CredentialsError):
    """The bytes are not a complete picture of the named type."""


class UnsupportedFormat(CredentialsError):
    """This picture type, or this operation on it, is not offered."""


class InvalidIdentity(CredentialsError):
    """The certificate chain or the key cannot sign content credentials."""


class SigningFailed(CredentialsError):
    """The picture could not be signed."""
