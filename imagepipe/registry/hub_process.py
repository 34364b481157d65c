"""Talks to a hub, in a process of its own: ``python -P hub_process.py``, JSON in and out.

Workers are told to be offline when they load models, and a download has to end at once when
it is cancelled; both want another process. It imports nothing of this package and loads no
model. Standard input: ``{"do": "look" | "fetch", …}``; standard output: one JSON object, either
what was found or ``{"refused": code, "detail": text}``.
"""

from __future__ import annotations

import json
import sys
from typing import Any

TIMEOUT = 20
"""Seconds that the hub may take to answer a question."""
MAX_CARD = 1024 * 1024
MAX_INDEX = 4 * 1024 * 1024


def look(asked: dict[str, Any]) -> dict[str, Any]:
    """The commit of a revision, its files with their sizes, index, card and licence."""
    from huggingface_hub import HfApi

    found = HfApi().model_info(
        asked["id"], revision=asked["revision"] or None, files_metadata=True, timeout=TIMEOUT
    )
    files = {item.rfilename: item.size for item in found.siblings or []}
    card = found.card_data.to_dict() if found.card_data else {}

    def text(name: str, most: int) -> str | None:
        if name not in files or (files[name] or 0) > most:
            return None
        with open(download(asked, found.sha, name), encoding="utf-8", errors="replace") as file:
            return file.read(most)

    return {
        "commit": found.sha,
        "files": files,
        "index": text("model_index.json", MAX_INDEX),
        "card": text("README.md", MAX_CARD),
        "licence": {
            key: card[key]
            for key in ("license", "license_name", "license_link")
            if isinstance(card.get(key), str)
        },
    }


def fetch(asked: dict[str, Any]) -> dict[str, Any]:
    """Bring the named files of one commit into the cache."""
    for name in asked["files"]:
        download(asked, asked["commit"], name)
    return {}


def download(asked: dict[str, Any], commit: str | None, name: str) -> str:
    from huggingface_hub import hf_hub_download

    found = hf_hub_download(
        asked["id"], name, revision=commit, cache_dir=asked["cache"], etag_timeout=TIMEOUT
    )
    return str(found)


def main() -> None:
    asked = json.load(sys.stdin)
    try:
        answer = {"look": look, "fetch": fetch}[asked["do"]](asked)
    except ImportError:
        answer = {"refused": "unavailable", "detail": ""}
    except Exception as error:  # noqa: BLE001 - the boundary of this process
        answer = {"refused": type(error).__name__, "detail": str(error)[:500]}
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
