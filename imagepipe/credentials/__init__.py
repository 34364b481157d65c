"""Metadata (XMP, IPTC) and content credentials (C2PA) on picture bytes.

Needs lxml, Pillow and cryptography; c2pa-python only where something is signed or verified.
"""

from __future__ import annotations

from imagepipe.credentials.certificates import (
    SigningIdentity,
    create_development_identities,
)
from imagepipe.credentials.embed import read_xmp, write_xmp
from imagepipe.credentials.exceptions import (
    CredentialsError,
    InvalidIdentity,
    MalformedPicture,
    MalformedXmp,
    SigningFailed,
    UnsupportedFormat,
)
from imagepipe.credentials.metadata import GENERATIVE, PictureMetadata, SourceType
from imagepipe.credentials.report import CredentialReport, verify
from imagepipe.credentials.signer import CredentialSigner, PreparedParent
from imagepipe.credentials.xmp import build_xmp, parse_xmp

__all__ = [
    "GENERATIVE",
    "CredentialReport",
    "CredentialSigner",
    "CredentialsError",
    "InvalidIdentity",
    "MalformedPicture",
    "MalformedXmp",
    "PictureMetadata",
    "PreparedParent",
    "SigningFailed",
    "SigningIdentity",
    "SourceType",
    "UnsupportedFormat",
    "build_xmp",
    "create_development_identities",
    "parse_xmp",
    "read_xmp",
    "verify",
    "write_xmp",
]
