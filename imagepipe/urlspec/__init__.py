"""The delivery URL: grammar, geometry, signatures. Standard library only.

Shared by the pages that write the URLs and the edge that answers them.
"""

from __future__ import annotations

from imagepipe.urlspec.exceptions import (
    BadSignature,
    Expired,
    InvalidKeyring,
    InvalidPath,
    InvalidTransform,
    UnknownKey,
    UntrustedUrl,
    UrlspecError,
)
from imagepipe.urlspec.formats import EXTENSIONS, FORMATS, MIME_TYPES, Format, negotiate
from imagepipe.urlspec.geometry import Box, Plan, plan
from imagepipe.urlspec.grammar import format_transform, parse_transform
from imagepipe.urlspec.path import VERSION_DIGITS, ImagePath, build_path, parse_path
from imagepipe.urlspec.presets import LADDER, PRESETS, Preset
from imagepipe.urlspec.signing import Keyring, sign_path, verify_url
from imagepipe.urlspec.transform import GRAVITIES, MAX_DIMENSION, Transform

__all__ = [
    "EXTENSIONS",
    "FORMATS",
    "GRAVITIES",
    "LADDER",
    "MAX_DIMENSION",
    "MIME_TYPES",
    "PRESETS",
    "VERSION_DIGITS",
    "BadSignature",
    "Box",
    "Expired",
    "Format",
    "ImagePath",
    "InvalidKeyring",
    "InvalidPath",
    "InvalidTransform",
    "Keyring",
    "Plan",
    "Preset",
    "Transform",
    "UnknownKey",
    "UntrustedUrl",
    "UrlspecError",
    "build_path",
    "format_transform",
    "negotiate",
    "parse_path",
    "parse_transform",
    "plan",
    "sign_path",
    "verify_url",
]
