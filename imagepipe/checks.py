"""System checks with ids and hints."""

from __future__ import annotations
