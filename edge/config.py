"""Configuration from environment variables, checked once at the start."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

PREFIX = "IMAGEPIPE_EDGE_"
_HEADER = re.compile(r"(?:[A-Za-z][A-Za-z0-9-]{0,60})?")


class InvalidConfiguration(ValueError):
    """A variable is missing or has a value that cannot be used; the message names it."""


@dataclass(frozen=True)
class Config:
    """Folders, files, limits. Times are seconds, sizes bytes.

    `identity` is the folder with chain.pem and key.pem; None: pictures carry XMP but no
    content credential. `market_header` names the request header in which a trusted proxy
    says the visitor's market; empty: markets are not known.
    """

    storage: Path
    cache: Path
    url_keys: Path
    grant_keys: Path
    identity: Path | None = None
    host: str = "127.0.0.1"
    port: int = 8080
    workers: int = 1
    threads: int = 4
    renders: int = 2
    max_age: int = 3600
    poll: float = 2.0
    grant_age: float = 60.0
    grace: int = 0
    market_header: str = ""
    memory_bytes: int = 64 * 1024 * 1024
    cache_bytes: int = 2 * 1024 * 1024 * 1024
    master_bytes: int = 100 * 1024 * 1024
    max_pixels: int = 150_000_000

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Config:
        """Raises InvalidConfiguration."""
        env = os.environ if environment is None else environment
        identity = env.get(PREFIX + "IDENTITY", "")
        header = env.get(PREFIX + "MARKET_HEADER", "")
        if not _HEADER.fullmatch(header):
            raise InvalidConfiguration(f"{PREFIX}MARKET_HEADER is not the name of a header")
        return cls(
            storage=_folder(env, "STORAGE"),
            cache=_path(env, "CACHE"),
            url_keys=_file(env, "URL_KEYS"),
            grant_keys=_file(env, "GRANT_KEYS"),
            identity=Path(identity) if identity else None,
            host=env.get(PREFIX + "HOST", cls.host),
            port=_whole(env, "PORT", cls.port, 1, 65535),
            workers=_whole(env, "WORKERS", cls.workers, 1, 256),
            threads=_whole(env, "THREADS", cls.threads, 1, 256),
            renders=_whole(env, "RENDERS", cls.renders, 1, 256),
            max_age=_whole(env, "MAX_AGE", cls.max_age, 0, 365 * 86400),
            poll=_seconds(env, "POLL", cls.poll),
            grant_age=_seconds(env, "GRANT_AGE", cls.grant_age),
            grace=_whole(env, "GRACE", cls.grace, 0, 86400),
            market_header=header,
            memory_bytes=_whole(env, "MEMORY_BYTES", cls.memory_bytes, 0, 2**40),
            cache_bytes=_whole(env, "CACHE_BYTES", cls.cache_bytes, 0, 2**50),
            master_bytes=_whole(env, "MASTER_BYTES", cls.master_bytes, 1, 2**32),
            max_pixels=_whole(env, "MAX_PIXELS", cls.max_pixels, 1, 2**32),
        )


def _path(env: Mapping[str, str], name: str) -> Path:
    value = env.get(PREFIX + name, "")
    if not value:
        raise InvalidConfiguration(f"set {PREFIX}{name}")
    return Path(value)


def _folder(env: Mapping[str, str], name: str) -> Path:
    path = _path(env, name)
    if not path.is_dir():
        raise InvalidConfiguration(f"{PREFIX}{name}: {path} is not a folder")
    return path


def _file(env: Mapping[str, str], name: str) -> Path:
    path = _path(env, name)
    if not path.is_file():
        raise InvalidConfiguration(f"{PREFIX}{name}: {path} is not a file")
    return path


def _whole(env: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    text = env.get(PREFIX + name, "")
    if not text:
        return default
    if not re.fullmatch(r"[0-9]{1,18}", text) or not least <= int(text) <= most:
        raise InvalidConfiguration(f"{PREFIX}{name} must be a whole number {least} to {most}")
    return int(text)


def _seconds(env: Mapping[str, str], name: str, default: float) -> float:
    text = env.get(PREFIX + name, "")
    if not text:
        return default
    if not re.fullmatch(r"[0-9]{1,6}(?:\.[0-9]{1,3})?", text) or float(text) < 0.05:
        raise InvalidConfiguration(f"{PREFIX}{name} must be a number of seconds, at least 0.05")
    return float(text)
