"""The demonstration with Wagtail's own picture tags in its templates."""

from __future__ import annotations

from pathlib import Path

from website.settings.demo import *  # noqa: F403
from website.settings.demo import TEMPLATES

TEMPLATES[0]["DIRS"] = [Path(__file__).parent / "templates"]
