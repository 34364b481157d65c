"""How the text of an environment variable becomes the value of a setting."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

REMOTE: Final = ("s3", "gs", "az", "http", "https")


class ConfigError(ValueError):
    """An environment variable is missing or unusable; the message names it."""


def path(text: str) -> Path:
    """An absolute path; ``~`` is the home folder."""
    return Path(text).expanduser().absolute()


def integer(least: int, most: int = 2**53) -> Callable[[str], int]:
    """A whole number within limits."""

    def read(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            raise ConfigError("must be a whole number") from None
        if not least <= value <= most:
            raise ConfigError(f"must be {least} to {most}")
        return value

    return read


def seconds(least: float, most: float) -> Callable[[str], float]:
    """A time in seconds within limits."""

    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            raise ConfigError("must be a number of seconds") from None
        if not least <= value <= most:
            raise ConfigError(f"must be {least:g} to {most:g} seconds")
        return value

    return read


def printable(text: str) -> str:
    """Printable ASCII."""
    if not text.isascii() or not text.isprintable():
        raise ConfigError("must be printable ASCII")
    return text


def web(text: str) -> str:
    """An address with http:// or https://, without a slash at its end."""
    parts = urlsplit(printable(text))
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.query:
        raise ConfigError("must be an address with http:// or https://")
    return text.rstrip("/")


def market(text: str) -> str:
    """A market as in grants."""
    if not re.fullmatch(r"[A-Za-z0-9-]{1,16}", text):
        raise ConfigError("must be a market as in grants, for example DE")
    return text.upper()


def yes(text: str) -> bool:
    """Whether it says yes."""
    if text.lower() not in ("yes", "no", "true", "false", "1", "0"):
        raise ConfigError("must be yes or no")
    return text.lower() in ("yes", "true", "1")


def one_of(*words: str) -> Callable[[str], str]:
    """One of these words."""

    def read(text: str) -> str:
        if text not in words:
            raise ConfigError(f"must be one of {', '.join(words)}")
        return text

    return read


def storage(text: str) -> Path | str:
    """A folder, or an address of a remote storage."""
    scheme, found, rest = text.partition("://")
    if not found:
        return path(text)
    if scheme not in REMOTE or not rest or "@" in text or "?" in text:
        raise ConfigError(f"must be a folder or one of {', '.join(REMOTE)} with ://")
    return printable(text).rstrip("/")


def hosts(text: str) -> tuple[str, ...]:
    """Names of hosts, separated by commas."""
    return tuple(name.strip().lower() for name in printable(text).split(",") if name.strip())
