"""The embedded defaults: SQLite, local folders, the database-backed worker."""

from __future__ import annotations

import os

from website.settings.base import *  # noqa: F403
from website.settings.base import IMAGEPIPE, ROOT, STATIC_ROOT, VAR

SERVE_MEDIA = True
IMAGEPIPE["MODEL_FOLDERS"] = [ROOT / "fixtures" / "models", VAR / "models"]
IMAGEPIPE["HUB_FOLDER"] = VAR / "hub"
IMAGEPIPE["PROMPT_MATCH"] = {
    "folder": ROOT / "fixtures" / "models" / "pocket-clip",
    "threshold": 0.6,
}
VAR.mkdir(mode=0o700, parents=True, exist_ok=True)
STATIC_ROOT.mkdir(parents=True, exist_ok=True)
_secret = VAR / "secret-key"
if not _secret.exists() or not _secret.stat().st_size:
    from django.core.management.utils import get_random_secret_key

    _whole = VAR / f"secret-key.{os.getpid()}"
    _whole.touch(mode=0o600)
    _whole.write_text(get_random_secret_key())
    _whole.replace(_secret)
SECRET_KEY = _secret.read_text()
