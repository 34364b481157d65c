"""Reads gettext catalogues: `.po` by a small parser, `.mo` by the standard library."""

from __future__ import annotations

import ast
import gettext
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Entry:
    """One message; ``texts`` are its translations, more than one where it has a plural."""

    msgid: str = ""
    plural: str = ""
    context: str = ""
    texts: dict[int, str] = field(default_factory=dict)
    is_fuzzy: bool = False


def read_po(path: Path) -> list[Entry]:
    """All entries but the header and what is commented out."""
    return [entry for entry in _entries(path) if entry.msgid]


def _entries(path: Path) -> Iterator[Entry]:
    for block in path.read_text("utf-8").split("\n\n"):
        entry, name = Entry(), ""
        for line in block.splitlines():
            if line.startswith("#"):
                entry.is_fuzzy |= line.startswith("#,") and "fuzzy" in line
                continue
            keyword, quote, rest = line.partition('"')
            name = keyword.strip() or name
            _append(entry, name, ast.literal_eval(quote + rest))
        yield entry


def _append(entry: Entry, name: str, text: str) -> None:
    if name == "msgid":
        entry.msgid += text
    elif name == "msgid_plural":
        entry.plural += text
    elif name == "msgctxt":
        entry.context += text
    else:
        number = int(name[7:-1]) if "[" in name else 0
        entry.texts[number] = entry.texts.get(number, "") + text


def read_mo(path: Path) -> dict[str | tuple[str, int], str]:
    """The compiled catalogue: message, or message and number of the plural, to text."""
    with path.open("rb") as file:
        catalogue = gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]
    return {key: text for key, text in catalogue.items() if key}


def compiled(entries: list[Entry]) -> dict[str | tuple[str, int], str]:
    """What ``read_mo`` has to give for these entries."""
    found: dict[str | tuple[str, int], str] = {}
    for entry in entries:
        key = f"{entry.context}\x04{entry.msgid}" if entry.context else entry.msgid
        if entry.plural:
            found |= {(key, number): text for number, text in entry.texts.items()}
        else:
            found[key] = entry.texts[0]
    return found
