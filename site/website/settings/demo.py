"""The embedded defaults: SQLite, local folders, the database-backed worker."""

from __future__ import annotations

from website.settings.base import *  # noqa: F403
from website.settings.base import STATIC_ROOT, VAR

SERVE_MEDIA = True
STATIC_ROOT.mkdir(parents=True, exist_ok=True)
_secret = VAR / "secret-key"
if not _secret.exists():
    from django.core.management.utils import get_random_secret_key

    _secret.touch(mode=0o600)
    _secret.write_text(get_random_secret_key())
SECRET_KEY = _secret.read_text()
