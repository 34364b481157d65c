"""The path of a delivered picture: `<transform>/<asset>.<version>/<slug>.<extension>`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

from imagepipe.urlspec.exceptions import InvalidPath, InvalidTransform
from imagepipe.urlspec.formats import EXTENSIONS
from imagepipe.urlspec.grammar import format_transform, parse_transform
from imagepipe.urlspec.transform import Transform

#: Longest path accepted, in characters.
MAX_PATH: Final = 320
#: How much of a master's SHA-256 the path carries, in hex digits.
VERSION_DIGITS: Final = 16

_ASSET = re.compile(r"[0-9a-f]{32}")
_VERSION = re.compile(r"[0-9a-f]{16}")
_SLUG = re.compile(r"[a-z0-9-]{1,80}")
_PATH = re.compile(
    r"(?:x(?P<expires>[1-9][0-9]{0,10})/)?"
    r"(?P<transform>[a-z0-9_.,-]{1,120})/"
    r"(?P<asset>[0-9a-f]{32})\.(?P<version>[0-9a-f]{16})/"
    r"(?P<slug>[a-z0-9-]{1,80})\.(?P<extension>[a-z]{3,4})"
)


@dataclass(frozen=True, slots=True)
class ImagePath:
    """What one URL asks for; every instance is valid.

    `asset` is the asset's uid (32 hex digits), `version` the first 16 hex digits of the
    master's SHA-256, `slug` is decoration for people and crawlers, `expires` (Unix seconds)
    makes it a preview. Raises InvalidPath.
    """

    transform: Transform
    asset: str
    version: str
    slug: str
    extension: Literal["auto", "avif", "webp", "jpg", "png", "gif"]
    expires: int | None = None

    def __post_init__(self) -> None:
        if not _ASSET.fullmatch(self.asset):
            raise InvalidPath("the asset must be 32 lower-case hex digits")
        if not _VERSION.fullmatch(self.version):
            raise InvalidPath("the version must be 16 lower-case hex digits")
        if not _SLUG.fullmatch(self.slug):
            raise InvalidPath("the slug has 1 to 80 of a-z, 0-9 and hyphen")
        if self.extension not in EXTENSIONS:
            raise InvalidPath(f"the extension must be one of {', '.join(EXTENSIONS)}")
        if self.expires is not None and not 0 < self.expires < 10**11:
            raise InvalidPath("the expiry must be in Unix seconds")


def build_path(path: ImagePath) -> str:
    """The one spelling of a path, without a leading slash."""
    expires = "" if path.expires is None else f"x{path.expires}/"
    transform = format_transform(path.transform)
    return f"{expires}{transform}/{path.asset}.{path.version}/{path.slug}.{path.extension}"


def parse_path(text: str) -> ImagePath:
    """Read a path; only the canonical spelling is accepted, so equal pictures have equal URLs.

    Raises InvalidPath.
    """
    match = _PATH.fullmatch(text) if len(text) <= MAX_PATH else None
    if match is None:
        raise InvalidPath("the path is not <transform>/<asset>.<version>/<slug>.<extension>")
    try:
        transform = parse_transform(match["transform"])
    except InvalidTransform as error:
        raise InvalidPath(error.reason) from error
    path = ImagePath(
        transform,
        match["asset"],
        match["version"],
        match["slug"],
        match["extension"],  # type: ignore[arg-type]  # checked by ImagePath
        None if match["expires"] is None else int(match["expires"]),
    )
    if build_path(path) != text:
        raise InvalidPath("the transform is not in its canonical spelling")
    return path
