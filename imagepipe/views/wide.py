from __future__ import annotations

WIDE = "imagepipe-wide"
"""Class of the columns of a listing that a telephone leaves out; see ``studio.css``."""
