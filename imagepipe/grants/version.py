"""One version of an asset in a grant: its master, its rights window and its marking."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from imagepipe.grants import fields as f
from imagepipe.grants.exceptions import InvalidDocument

State = Literal["published", "superseded", "withdrawn"]
STATES: tuple[State, ...] = ("published", "superseded", "withdrawn")

#: What a delivered picture says about itself in XMP. All values are text; "prompt" and
#: "prompt_writer" are present only where the publisher made them public.
CREDIT_FIELDS = frozenset(
    {
        "title",
        "description",
        "alt",
        "creator",
        "credit",
        "rights",
        "web_statement",
        "licensor",
        "licensor_url",
        "ai_system",
        "ai_system_version",
        "prompt",
        "prompt_writer",
        "no_training",
    }
)

CROP_UNITS = 10_000  # crops are in ten-thousandths of the picture, as in URLs
_MIME = re.compile(r"image/[a-z0-9.+-]{1,60}")
_MARKET = re.compile(r"[A-Z0-9-]{1,16}")
_CHANNEL = re.compile(r"[a-z0-9_-]{1,40}")
_CROP_NAME = re.compile(r"[A-Za-z0-9_:.-]{1,60}")
_URI = re.compile(r"(?:https?://[!-~]{1,200})?")

Box = tuple[int, int, int, int]
Face = tuple[float, float, float, float]

_VERSION_KEYS = (
    "sha256",
    "mime",
    "width",
    "height",
    "bytes",
    "state",
    "valid_from",
    "valid_until",
    "markets",
    "channels",
    "focal",
    "faces",
    "subject",
    "crops",
    "source_type",
    "credit",
)
#: Left out by publishers that are older than the edge.
_LATER_KEYS: dict[str, Any] = {"subject": None}


@dataclass(frozen=True)
class GrantedVersion:
    """One servable (or expressly withdrawn) master of an asset.

    Times are Unix seconds: valid_from is included, valid_until is not. Empty markets
    (upper case, e.g. "DE") and channels mean all. focal is (x, y), faces and subject are
    (x, y, width, height) in fractions 0..1; crops are (x, y, width, height) by name in
    ten-thousandths. source_type is an IPTC digital source type URI or "".
    """

    sha256: str
    mime: str
    width: int
    height: int
    bytes: int
    state: State
    valid_from: int | None = None
    valid_until: int | None = None
    markets: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    focal: tuple[float, float] | None = None
    faces: tuple[Face, ...] = ()
    subject: Face | None = None
    crops: Mapping[str, Box] = field(default_factory=dict, hash=False)
    source_type: str = ""
    credit: Mapping[str, str] = field(default_factory=dict, hash=False)

    def to_dict(self) -> dict[str, Any]:
        return {
            "sha256": self.sha256,
            "mime": self.mime,
            "width": self.width,
            "height": self.height,
            "bytes": self.bytes,
            "state": self.state,
            "valid_from": self.valid_from,
            "valid_until": self.valid_until,
            "markets": list(self.markets),
            "channels": list(self.channels),
            "focal": None if self.focal is None else list(self.focal),
            "faces": [list(face) for face in self.faces],
            "subject": None if self.subject is None else list(self.subject),
            "crops": {name: list(box) for name, box in self.crops.items()},
            "source_type": self.source_type,
            "credit": dict(self.credit),
        }

    @classmethod
    def from_dict(cls, value: object) -> GrantedVersion:
        if isinstance(value, dict):
            value = _LATER_KEYS | value
        data = f.require_object(value, "version", _VERSION_KEYS)
        if data["state"] not in STATES:
            raise InvalidDocument("state is not published, superseded or withdrawn")
        version = cls(
            sha256=f.require_text(data["sha256"], "sha256", f.HEX64),
            mime=f.require_text(data["mime"], "mime", _MIME),
            width=f.require_integer(data["width"], "width", 1, 1_000_000),
            height=f.require_integer(data["height"], "height", 1, 1_000_000),
            bytes=f.require_integer(data["bytes"], "bytes", 1),
            state=cast(State, data["state"]),
            valid_from=f.optional(data["valid_from"], "valid_from", f.require_integer),
            valid_until=f.optional(data["valid_until"], "valid_until", f.require_integer),
            markets=f.require_texts(data["markets"], "markets", _MARKET, 300),
            channels=f.require_texts(data["channels"], "channels", _CHANNEL, 100),
            focal=f.optional(data["focal"], "focal", _point),
            faces=tuple(_face(face) for face in f.require_list(data["faces"], "faces", 200)),
            subject=f.optional(data["subject"], "subject", _box),
            crops=_crops(data["crops"]),
            source_type=f.require_text(data["source_type"], "source_type", _URI),
            credit=_credit(data["credit"]),
        )
        if version.valid_from is not None and version.valid_until is not None:
            if version.valid_from >= version.valid_until:
                raise InvalidDocument("valid_from is not before valid_until")
        return version


def _point(value: object, name: str) -> tuple[float, float]:
    x, y = _exactly(value, name, 2)
    return f.require_fraction(x, name), f.require_fraction(y, name)


def _face(value: object) -> Face:
    return _box(value, "faces")


def _box(value: object, name: str) -> Face:
    x, y, width, height = (f.require_fraction(n, name) for n in _exactly(value, name, 4))
    return x, y, width, height


def _crops(value: object) -> dict[str, Box]:
    boxes = {}
    for name, box in f.require_mapping(value, "crops", 100).items():
        f.require_text(name, "crop name", _CROP_NAME)
        x, y, width, height = _exactly(box, "crops", 4)
        x = f.require_integer(x, "crops", 0, CROP_UNITS - 1)
        y = f.require_integer(y, "crops", 0, CROP_UNITS - 1)
        width = f.require_integer(width, "crops", 1, CROP_UNITS - x)
        height = f.require_integer(height, "crops", 1, CROP_UNITS - y)
        boxes[name] = (x, y, width, height)
    return boxes


def _credit(value: object) -> dict[str, str]:
    credit = f.require_mapping(value, "credit", len(CREDIT_FIELDS))
    if not credit.keys() <= CREDIT_FIELDS:
        raise InvalidDocument("credit has unexpected fields")
    return {name: f.require_text(text, f"credit {name}") for name, text in credit.items()}


def _exactly(value: object, name: str, count: int) -> list[Any]:
    items = f.require_list(value, name, count)
    if len(items) != count:
        raise InvalidDocument(f"{name} does not have {count} numbers")
    return items
