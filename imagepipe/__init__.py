"""imagepipe: AI image production line, digital asset manager and delivery edge for Wagtail.

This module imports nothing: the edge, which has no Django, imports through it.
"""

from __future__ import annotations

__version__ = "0.1.0"
