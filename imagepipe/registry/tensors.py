"""Names, types and shapes in a safetensors file, read from its header without loading it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from imagepipe.registry.folders import UnusableFolder

MAX_HEADER_BYTES = 32 * 1024 * 1024
MAX_DIMENSIONS = 8
MAX_SIDE = 2**40
TYPE_BYTES = {
    "BOOL": 1, "U8": 1, "I8": 1, "F8_E4M3": 1, "F8_E5M2": 1, "U16": 2, "I16": 2, "F16": 2,
    "BF16": 2, "U32": 4, "I32": 4, "F32": 4, "U64": 8, "I64": 8, "F64": 8,
}  # fmt: skip
FLOATS = frozenset({"F16", "BF16", "F32", "F64"})


class Tensor(NamedTuple):
    """``dtype`` as safetensors calls it, such as ``F16``."""

    dtype: str
    shape: tuple[int, ...]


Tensors = Mapping[str, Tensor]


def read_tensors(path: Path) -> Tensors:
    """Return what the file holds, by name. Raises :class:`UnusableFolder`.

    The header must fit the file exactly: no gaps, overlaps, repeated names or missing bytes.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if not 2 <= length <= min(size - 8, MAX_HEADER_BYTES):
                raise ValueError("header length")
            header = json.loads(file.read(length), object_pairs_hook=_without_repeats)
        return _read(header, size - 8 - length)
    except (OSError, ValueError, RecursionError) as error:
        raise UnusableFolder(
            f"{path.name} is not a whole safetensors file. Download or convert it again."
        ) from error


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


def _read(header: Any, data_bytes: int) -> Tensors:
    if not isinstance(header, dict):
        raise ValueError("header")
    header.pop("__metadata__", None)
    entries = {name: _entry(facts) for name, facts in header.items()}
    end = 0
    for start, stop in sorted(span for _tensor, span in entries.values()):
        if start != end:
            raise ValueError("offsets")
        end = stop
    if end != data_bytes:
        raise ValueError("data")
    return {name: tensor for name, (tensor, _span) in entries.items()}


def _entry(facts: Any) -> tuple[Tensor, tuple[int, int]]:
    if not isinstance(facts, dict):
        raise ValueError("entry")
    dtype, shape = facts.get("dtype"), tuple(_whole(facts.get("shape")))
    start, stop = _whole(facts.get("data_offsets"))
    if not isinstance(dtype, str) or len(shape) > MAX_DIMENSIONS or stop < start:
        raise ValueError("entry")
    width = TYPE_BYTES.get(dtype)
    if width is not None and stop - start != math.prod(shape) * width:
        raise ValueError("size")
    return Tensor(dtype, shape), (start, stop)


def _whole(numbers: Any) -> Iterator[int]:
    if not isinstance(numbers, list):
        raise ValueError("numbers")
    for number in numbers:
        if type(number) is not int or not 0 <= number <= MAX_SIDE:
            raise ValueError("number")
        yield number
