"""Rows on the command line, for people and for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from django.core.management.base import OutputWrapper

WIDEST = 60


def show(
    rows: Sequence[dict[str, Any]],
    columns: tuple[str, ...],
    *,
    as_json: bool,
    stdout: OutputWrapper,
) -> None:
    """Print a table, or all of it as JSON."""
    if as_json:
        stdout.write(json.dumps(rows, ensure_ascii=False))
        return
    table = [columns, *(tuple(_cell(row[name]) for name in columns) for row in rows)]
    widths = [max(len(line[i]) for line in table) for i in range(len(columns))]
    for line in table:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        stdout.write("  ".join(cells).rstrip())


def _cell(value: Any) -> str:
    if value is None or value == "":
        return "–"
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= WIDEST else text[: WIDEST - 1] + "…"
