from __future__ import annotations

from website.images import SiteImage, SiteRendition
from website.pages import HomePage, StoryPage
from website.snippets import Promotion

__all__ = ["HomePage", "Promotion", "SiteImage", "SiteRendition", "StoryPage"]
