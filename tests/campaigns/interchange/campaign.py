"""Mutated metadata and workflow files through the importers.

    python -m tests.campaigns.interchange.campaign --count 20000 --state FILE

Each file must end in a recipe or in ``UnreadableRecipe``, within a second; what the reader
gives must be within its bounds. An audit hook of the interpreter notes every file that is
opened, every process, socket or piece of code that is started while a file is read. Memory is
the process' own peak. ``--state`` lets a stopped campaign go on.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
import time
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

from imagepipe.generation.canonical import canonical_json
from imagepipe.generation.interchange import values
from imagepipe.generation.interchange.foreign import (
    MAX_ADDITIONS,
    MAX_LEFT_OVER,
    MAX_PROMPT,
    ForeignRecipe,
    UnreadableRecipe,
)
from imagepipe.generation.interchange.reading import read
from tests.campaigns.interchange.mutations import FILES, mutated

SLOWEST_ALLOWED = 1.0
FORBIDDEN = (
    "open", "exec", "compile", "import", "os.", "subprocess.", "socket.", "ctypes.", "pickle.",
    "shutil.", "glob.", "urllib.", "marshal.",
)  # fmt: skip
_watching = False
_noticed: list[str] = []


def _audit(event: str, arguments: tuple[object, ...]) -> None:
    if _watching and event.startswith(FORBIDDEN):
        _noticed.append(f"{event} {arguments!r:.200}")


def check(seed: int, number: int) -> tuple[str, float, list[str]]:
    """Read one file; returns how it ended, the seconds, and everything that is wrong."""
    global _watching
    name, data = mutated(seed, number)
    _noticed.clear()
    wrong: list[str] = []
    started = time.perf_counter()
    _watching = True
    try:
        recipe = read(data)
        ended = recipe.tool
    except UnreadableRecipe as error:
        recipe, ended = None, "refused"
        if not str(error).endswith(".") or len(str(error)) > 500:
            wrong.append(f"refused with {str(error)[:100]!r}")
    except Exception as error:  # noqa: BLE001 - what the campaign looks for
        recipe, ended = None, "crashed"
        wrong.append(f"{type(error).__name__}: {error}"[:300])
    finally:
        _watching = False
    seconds = time.perf_counter() - started
    wrong += _noticed
    if seconds > SLOWEST_ALLOWED:
        wrong.append(f"took {seconds:.2f} s")
    if recipe is not None:
        wrong += problems(recipe)
    return ended, seconds, [f"{number} ({name}): {one}" for one in wrong]


def problems(recipe: ForeignRecipe) -> list[str]:
    """Return which bounds a recipe breaks; everything must also be plain JSON."""
    found = []
    bounds: tuple[tuple[str, float, float], ...] = (
        ("seed", 0, values.MAX_SEED), ("width", 1, values.MAX_SIDE),
        ("height", 1, values.MAX_SIDE), ("steps", 1, values.MAX_STEPS), ("guidance", 0, 100),
        ("guidance_rescale", 0, 1), ("strength", 0, 1),
    )  # fmt: skip
    for name, lowest, highest in bounds:
        value = getattr(recipe, name)
        if value is not None and not lowest <= value <= highest:
            found.append(f"{name} is {value!r:.80}")
    if max(len(recipe.prompt), len(recipe.negative_prompt)) > MAX_PROMPT:
        found.append("a prompt is too long")
    if len(recipe.additions) > MAX_ADDITIONS or len(recipe.left_over) > MAX_LEFT_OVER:
        found.append("too many additions or values left over")
    try:
        canonical_json(json.loads(json.dumps(asdict(recipe)))).decode()
    except ValueError as error:
        found.append(f"no plain values: {error}")
    return found


def campaign(seed: int, count: int, state: Path | None = None) -> dict[str, Any]:
    """Check files 0 to ``count``; returns the figures."""
    for _name, content in FILES:
        read(content)  # whatever Python itself loads at the first use, such as codecs
    sys.addaudithook(_audit)
    done: dict[str, Any] = {"next": 0, "ended": {}, "wrong": [], "slowest": 0.0, "seconds": 0.0}
    if state is not None and state.exists():
        done = json.loads(state.read_text())
    ended = Counter(done["ended"])
    for number in range(done["next"], count):
        how, seconds, wrong = check(seed, number)
        ended[how] += 1
        done["wrong"] += wrong
        done["slowest"] = max(done["slowest"], seconds)
        done["seconds"] += seconds
        done |= {"next": number + 1, "ended": dict(sorted(ended.items()))}
        if state is not None and number % 500 == 499:
            state.write_text(json.dumps(done))
    done["peak_mib"] = peak_kib() // 1024
    if state is not None:
        state.write_text(json.dumps(done))
    return done


def peak_kib() -> int:
    """Return the largest resident memory of this program; that of its parent does not count."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0])


def digest(seed: int, count: int) -> str:
    """Return a hash over the first files, to see that a seed makes the same ones."""
    whole = hashlib.sha256()
    for number in range(count):
        whole.update(mutated(seed, number)[1])
    return whole.hexdigest()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--state", type=Path)
    options = parser.parse_args()
    os.nice(15)
    found = campaign(options.seed, options.count, options.state)
    sys.stdout.write(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
