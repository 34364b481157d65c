"""Damaged and hostile files, by their number: the same number makes the same file."""

from __future__ import annotations

import json
import random
import zlib
from collections.abc import Callable
from functools import cache

from tests.generation.interchange import samples

FILES = sorted(samples.all_files().items())
NASTY = (
    b"\0", b"\xff" * 8, b"\x7f\xff\xff\xff", b"\xff\xff\xff\xff", b'"', b"{" * 2000,
    b"[" * 2000,
    b"1e999", b"9" * 5000, b"NaN", b"-0", b"\\ud800", b"../../../../etc/passwd",
    b"__import__('os').system('id')", b"<lora:" * 500, b", Steps: 1" * 200, b": " * 3000,
    b"!!python/object/apply:os.system", b"file:///etc/passwd", b"%s%n",
    b"\xe2\x80\xae", b"\n" * 500,
)  # fmt: skip
Mutation = Callable[[random.Random, bytes], bytes]


def mutated(seed: int, number: int) -> tuple[str, bytes]:
    """Return the name of the file it is made from, and the bytes."""
    chance = random.Random(f"{seed}/{number}")
    name, data = FILES[chance.randrange(len(FILES))]
    for _round in range(chance.choice((1, 1, 2, 4))):
        data = chance.choice(MUTATIONS)(chance, data)
    return name, data


def flip_bits(chance: random.Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _flip in range(chance.choice((1, 4, 32))):
        if changed:
            changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def cut(chance: random.Random, data: bytes) -> bytes:
    start = chance.choice((0, 0, chance.randrange(len(data) + 1)))
    return data[start : chance.randrange(start, len(data) + 1)]


def insert(chance: random.Random, data: bytes) -> bytes:
    place = chance.randrange(len(data) + 1)
    return data[:place] + chance.choice(NASTY) + data[place:]


def repeat(chance: random.Random, data: bytes) -> bytes:
    start = chance.randrange(len(data) + 1)
    part = data[start : start + chance.randrange(1, 400)]
    return data[:start] + part * chance.choice((2, 10, 300)) + data[start:]


def splice(chance: random.Random, data: bytes) -> bytes:
    other = FILES[chance.randrange(len(FILES))][1]
    return data[: chance.randrange(len(data) + 1)] + other[chance.randrange(len(other)) :]


def set_length(chance: random.Random, data: bytes) -> bytes:
    """Overwrite four bytes with a size that promises far too much, or nothing."""
    place = chance.randrange(max(1, len(data) - 3))
    size = chance.choice((0, 1, 2**16, 2**31 - 1, 2**32 - 1, len(data)))
    return data[:place] + size.to_bytes(4, chance.choice(("big", "little"))) + data[place + 4 :]


def odd_json(chance: random.Random, data: bytes) -> bytes:
    """A workflow whose values have other types, bare or inside a PNG."""
    graph = json.loads(json.dumps(chance.choice(_DOCUMENTS)))
    for _change in range(chance.choice((1, 3, 10))):
        _change_somewhere(chance, graph)
    text = json.dumps(graph)
    if chance.random() < 0.3:
        text = text.replace("1234567890", "9" * chance.choice((20, 400, 4200)))
    key = chance.choice(("prompt", "workflow", "parameters", "invokeai_metadata"))
    return text.encode() if chance.random() < 0.5 else samples.png(**{key: text})


def deep_json(chance: random.Random, data: bytes) -> bytes:
    depth = chance.choice((50, 900, 20_000))
    opened = chance.choice(('{"prompt":', "[", '{"nodes":[', '{"1":{"class_type":'))
    return (opened * depth).encode()


def bomb(chance: random.Random, data: bytes) -> bytes:
    """Compressed text that grows to megabytes."""
    body = b"parameters\0\0" + _packed(chance.choice((b"a", b"{", b"Steps: 1, ")))
    chunk = len(body).to_bytes(4, "big") + b"zTXt" + body + b"\0\0\0\0"
    picture = samples.png()
    return picture[:33] + chunk + picture[33:]


@cache
def _packed(part: bytes) -> bytes:
    return zlib.compress(part * 6_000_000, 9)


def _change_somewhere(chance: random.Random, value: object) -> None:
    odd = (None, True, -1, 10**30, 1.5e308, "", "x" * 3000, [], [[]], {}, ["3", 0], [None])
    while isinstance(value, (dict, list)) and value:
        keys = list(value) if isinstance(value, dict) else list(range(len(value)))
        key = chance.choice(keys)
        inner = value[key]
        if chance.random() < 0.35 or not isinstance(inner, (dict, list)) or not inner:
            value[key] = chance.choice(odd)
            return
        value = inner


_DOCUMENTS = (
    samples.COMFY_PROMPT, samples.COMFY_WORKFLOW, samples.COMFY_FLUX, samples.INVOKEAI,
    samples.SWARMUI,
)  # fmt: skip
_COMMON: tuple[Mutation, ...] = (flip_bits, cut, insert, repeat, splice, set_length, odd_json)
MUTATIONS: tuple[Mutation, ...] = (*_COMMON * 4, deep_json, bomb)
