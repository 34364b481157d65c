"""What can be wrong with a delivery document.

DocumentError
 ├─ InvalidDocument   not a document of ours: syntax, types, ranges, size
 │   └─ WrongKind     a genuine document of another kind (a feed where a grant belongs)
 ├─ UnknownKey        signed with a key that the reader does not hold
 ├─ BadSignature      changed after signing, or never signed by that key
 └─ RolledBack        older than a document already seen for the same asset
"""

from __future__ import annotations


class DocumentError(ValueError):
    """A delivery document cannot be used."""


class InvalidDocument(DocumentError):
    """The document's syntax, types, ranges or size are not those of a delivery document."""


class WrongKind(InvalidDocument):
    """The signature holds, but the document is of another kind than the one expected."""


class UnknownKey(DocumentError):
    """The document names a signing key that the reader does not hold."""


class BadSignature(DocumentError):
    """The signature does not fit the document."""


class RolledBack(DocumentError):
    """The document is older than one already seen for the same asset."""
