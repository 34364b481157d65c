"""Settings shared by every way to run the reference site."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from django.utils.translation import gettext_lazy as _

ROOT = Path(__file__).resolve().parents[3]
VAR = Path(os.environ.get("IMAGEPIPE_VAR", ROOT / "var"))
"""Everything that is written while the site runs lies below this folder."""

DEBUG = False
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]", "testserver"]
ROOT_URLCONF = "website.urls"
WSGI_APPLICATION = "website.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "website",
    "imagepipe",
    "wagtail.contrib.forms",
    "wagtail.contrib.redirects",
    "wagtail.contrib.settings",
    "wagtail.contrib.sitemaps",
    "wagtail.embeds",
    "wagtail.sites",
    "wagtail.users",
    "wagtail.snippets",
    "wagtail.documents",
    "wagtail.images",
    "wagtail.search",
    "wagtail.admin",
    "wagtail.api.v2",
    "wagtail.api.v3",
    "wagtail",
    "django_filters",
    "modelcluster",
    "rest_framework",
    "taggit",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.sitemaps",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "website.middleware.PageLocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "wagtail.contrib.redirects.middleware.RedirectMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.debug",
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

DATABASES: dict[str, dict[str, Any]] = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": VAR / "db.sqlite3",
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": (
                "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL;PRAGMA temp_store=MEMORY;"
            ),
        },
    }
}

CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
    "renditions": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"},
}
"""Renditions are not remembered: withdrawing a picture must take effect in every process."""

STORAGES: dict[str, dict[str, Any]] = {
    "default": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": str(VAR / "media"), "base_url": "/media/"},
    },
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
    "imagepipe_private": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": str(VAR / "private"), "base_url": None},
    },
    "imagepipe_delivery": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": str(VAR / "delivery"), "base_url": None},
    },
}
MEDIA_URL = "/media/"
MEDIA_ROOT = VAR / "media"
STATIC_URL = "/static/"
STATIC_ROOT = VAR / "static"
WHITENOISE_USE_FINDERS = True
SERVE_MEDIA = False
"""Whether Django itself hands out the public media; in production a web server does."""

AUTH_PASSWORD_VALIDATORS: list[dict[str, Any]] = []
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("de", _("German"))]
WAGTAIL_CONTENT_LANGUAGES = LANGUAGES
WAGTAILADMIN_PERMITTED_LANGUAGES = LANGUAGES
WAGTAIL_I18N_ENABLED = True
WAGTAIL_GRAVATAR_PROVIDER_URL = None
TIME_ZONE = "Europe/Berlin"
USE_I18N = True
USE_TZ = True

WAGTAIL_SITE_NAME = "Imagepipe reference site"
WAGTAILADMIN_BASE_URL = os.environ.get("IMAGEPIPE_BASE_URL", "http://127.0.0.1:8000")
WAGTAILIMAGES_IMAGE_MODEL = "website.SiteImage"
WAGTAILIMAGES_IMAGE_FORM_BASE = "imagepipe.forms.ImagepipeImageForm"
WAGTAILIMAGES_EXTENSIONS = ["avif", "gif", "jpg", "jpeg", "png", "webp"]
WAGTAILSEARCH_BACKENDS = {"default": {"BACKEND": "wagtail.search.backends.database"}}

IMAGEPIPE: dict[str, Any] = {
    "EDGE_URL": os.environ.get("IMAGEPIPE_EDGE_URL", "http://127.0.0.1:8001"),
    "KEYS": VAR / "keys",
    "CREATOR": "Imagepipe reference site",
    "PRESETS": {
        "hero": {
            "widths": [480, 640, 800, 1200, 1600],
            "ratio": [16, 9],
            "fit": "fill",
            "sizes": "100vw",
            "crop": "hero",
        },
        "card": {
            "widths": [320, 480, 640, 800],
            "ratio": [4, 3],
            "fit": "fill",
            "sizes": "(min-width: 60rem) 17.5rem, (min-width: 36rem) 44vw, 92vw",
            "crop": "card",
        },
        "figure": {
            "widths": [320, 480, 640, 800, 1200, 1600],
            "sizes": "(min-width: 52rem) 48rem, 92vw",
        },
    },
    "CROPS": {
        "hero": {
            "ratio": [16, 9],
            "headline": {"zone": [0, 0.6, 0.6, 0.4], "colour": "#ffffff"},
        },
    },
    "PROFILES": {
        "hero": {
            "presets": ["hero", "card"],
            "ratios": [[16, 9], [4, 3]],
            "template": "small-object-on-colour",
        },
        "card": {"presets": ["card"], "ratios": [[4, 3]], "template": "object-on-colour"},
        "figure": {"presets": ["figure"], "template": "object-in-light"},
    },
}
