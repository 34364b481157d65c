"""Settings of the test suite; the database is chosen by ``IMAGEPIPE_TEST_DATABASE``."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from website.settings.base import *  # noqa: F403
from website.settings.base import DATABASES, IMAGEPIPE, INSTALLED_APPS, STORAGES

SECRET_KEY = "not-secret-only-for-tests"  # noqa: S105 - this is the test suite
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "")
TEST_VAR = Path(tempfile.gettempdir()) / f"imagepipe-tests-{os.getuid()}{WORKER}"
TEST_VAR.mkdir(mode=0o700, exist_ok=True)
SERVE_MEDIA = True
INSTALLED_APPS = [*INSTALLED_APPS, "tests.fields"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
IMAGEPIPE["KEYS"] = TEST_VAR / "keys"
IMAGEPIPE["HUB_MODELS"] = ["someone/*"]

if os.environ.get("IMAGEPIPE_TEST_DATABASE") == "postgresql":
    DATABASES["default"] = {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": os.environ.get("PGDATABASE", "imagepipe"),
        "USER": os.environ.get("PGUSER", "imagepipe"),
        "PASSWORD": os.environ.get("PGPASSWORD", "imagepipe"),
        "HOST": os.environ.get("PGHOST", "127.0.0.1"),
        "PORT": os.environ.get("PGPORT", "5432"),
    }
else:
    DATABASES["default"]["NAME"] = TEST_VAR / "db.sqlite3"
    DATABASES["default"]["TEST"] = {"NAME": TEST_VAR / "test.sqlite3"}

if os.environ.get("IMAGEPIPE_TEST_IMAGE_MODEL") == "stock":
    WAGTAILIMAGES_IMAGE_MODEL = "wagtailimages.Image"
