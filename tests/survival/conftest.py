from __future__ import annotations

from tests.delivery.conftest import library

__all__ = ["library"]
