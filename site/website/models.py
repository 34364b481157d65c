from __future__ import annotations

from website.images import SiteImage, SiteRendition

__all__ = ["SiteImage", "SiteRendition"]
