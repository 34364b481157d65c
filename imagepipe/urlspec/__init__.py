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
from imagepipe.urlspec.geometry import Box, Plan, output_size, plan
from imagepipe.urlspec.grammar import format_transform, parse_transform
from imagepipe.urlspec.hints import Hints, resolve
from imagepipe.urlspec.path import VERSION_DIGITS, ImagePath, build_path, parse_path
from imagepipe.urlspec.presets import LADDER, PRESETS, SMART, Preset
from imagepipe.urlspec.scene import NOTHING_KNOWN, Scene
from imagepipe.urlspec.signing import Keyring, sign_formats, sign_path, verify_url
from imagepipe.urlspec.transform import COMPASS, GRAVITIES, KNOWN, MAX_DIMENSION, Transform

__all__ = [
    "COMPASS",
    "EXTENSIONS",
    "FORMATS",
    "GRAVITIES",
    "KNOWN",
    "LADDER",
    "MAX_DIMENSION",
    "MIME_TYPES",
    "NOTHING_KNOWN",
    "PRESETS",
    "SMART",
    "VERSION_DIGITS",
    "BadSignature",
    "Box",
    "Expired",
    "Format",
    "Hints",
    "ImagePath",
    "InvalidKeyring",
    "InvalidPath",
    "InvalidTransform",
    "Keyring",
    "Plan",
    "Preset",
    "Scene",
    "Transform",
    "UnknownKey",
    "UntrustedUrl",
    "UrlspecError",
    "build_path",
    "format_transform",
    "negotiate",
    "output_size",
    "parse_path",
    "parse_transform",
    "plan",
    "resolve",
    "sign_formats",
    "sign_path",
    "verify_url",
]
