"""Backends: the engines that make pictures, one module each, behind a small registry."""

from __future__ import annotations

from imagepipe.generation.backends.registry import available, get, make, register

__all__ = ["available", "get", "make", "register"]
