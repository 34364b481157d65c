from __future__ import annotations

from tests.fields.conftest import library, published

__all__ = ["library", "published"]
