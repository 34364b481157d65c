"""Content credentials beside small pictures, and where they are found.

A sidecar lies behind the address of its picture, under a name made from the picture's bytes:

    /<key>/<signature>/<transform>/<asset>.<version>/<slug>.<extension>.c2pa/<pair>

so that it always belongs to the very bytes that announced it, first or settled, and whatever
was negotiated. The address needs no signature of its own: it is only looked for, never made.

`<pair>` is also the ETag that nginx makes of a placed picture (time and size, in hex digits),
because that is the only name for a file's content that nginx knows by itself. The time is odd
where there is a sidecar, which spares nginx a look.
"""

from __future__ import annotations

import re
from typing import Final

MIME: Final = "application/c2pa"
FORMAT: Final = "c2pa"

_ADDRESS = re.compile(
    r"(?P<picture>/.+\.(?:auto|avif|webp|jpg|png|gif))\.c2pa/"
    r"(?P<pair>[0-9a-f]{8}-[0-9a-f]{1,9})"
)


def stamp_of(sha256: str, *, has_sidecar: bool) -> int:
    """A time (Unix seconds, between 2004 and 2038) that stands for these bytes."""
    return 1 << 30 | int(sha256[:8], 16) & (1 << 30) - 2 | has_sidecar


def pair_of(sha256: str, size: int) -> str:
    """The name of the sidecar of a picture with this hash and number of bytes."""
    return f"{stamp_of(sha256, has_sidecar=True):x}-{size:x}"


def split(path: str) -> tuple[str, str]:
    """The picture's address and the pair, which is empty if no sidecar is asked for."""
    match = _ADDRESS.fullmatch(path) if path.find(".c2pa/") > 0 else None
    return (path, "") if match is None else (match["picture"], match["pair"])


def link(path: str, pair: str) -> str:
    """The Link header that announces a sidecar, relative to the picture's address."""
    name = path.rpartition("/")[2]
    return f'<{name}.c2pa/{pair}>; rel="c2pa-manifest"'
