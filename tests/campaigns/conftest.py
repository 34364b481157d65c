from __future__ import annotations

from tests.sandbox import sandbox, sandbox_original

__all__ = ["sandbox", "sandbox_original"]
