"""What the check saw: one row per address, and the table of them."""

from __future__ import annotations

import io
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

from PIL import Image

from website.demo.browser import Browser, Unexpected


@dataclass(frozen=True)
class Seen:
    """One answer. ``size`` is width×height of a picture, or empty."""

    address: str
    kind: str
    size: str
    bytes: int
    milliseconds: float
    content: bytes


class Evidence:
    """Fetches and remembers."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self.rows: list[Seen] = []

    def fetch(self, address: str, kind: str, *, width: int | None = None) -> Seen:
        """Fetch an address that must answer 200 with this type (and this width in pixels)."""
        start = time.perf_counter()
        answer = self._browser.get(address)
        milliseconds = (time.perf_counter() - start) * 1000
        found = answer.headers.get("Content-Type", "").partition(";")[0]
        if answer.status_code != 200 or found != kind:
            raise Unexpected(f"{address} answered {answer.status_code} {found}, not 200 {kind}")
        size = ""
        if kind.startswith("image/"):
            with Image.open(io.BytesIO(answer.content)) as picture:
                picture.load()
                size = f"{picture.width}×{picture.height}"
                if width is not None and picture.width != width:
                    raise Unexpected(f"{address} is {picture.width} pixels wide, not {width}")
        seen = Seen(address, kind, size, len(answer.content), milliseconds, answer.content)
        self.rows.append(seen)
        return seen

    def table(self) -> str:
        """Address, type, size, bytes and milliseconds, in columns."""
        head = ("address", "type", "pixels", "bytes", "ms")
        rows = [
            (
                _short(row.address),
                row.kind,
                row.size,
                f"{row.bytes:,}",
                f"{row.milliseconds:.0f}",
            )
            for row in self.rows
        ]
        widths = [max(len(row[i]) for row in (head, *rows)) for i in range(5)]
        lines = [
            "  ".join(
                cell.rjust(width) if column > 1 else cell.ljust(width)
                for column, (cell, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in (head, tuple("-" * width for width in widths), *rows)
        ]
        return "\n".join(lines)


def _short(address: str, most: int = 72) -> str:
    """The path, its long middle left out."""
    path = urlsplit(address).path or address
    return path if len(path) <= most else f"{path[:30]}…{path[-(most - 31) :]}"
