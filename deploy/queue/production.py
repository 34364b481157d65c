"""What web and workers of a farm share; the end of ``mysite/settings/production.py``."""

from __future__ import annotations

import os

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "mysite",
        "USER": "mysite",
        "PASSWORD": os.environ["DATABASE_PASSWORD"],
        "HOST": os.environ.get("DATABASE_HOST", "127.0.0.1"),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }
}
REDIS = os.environ.get("REDIS", "redis://127.0.0.1:6379")
CACHES = {
    name: {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": f"{REDIS}/{number}",
    }
    for number, name in enumerate(("default", "renditions"), start=1)
}
IMAGEPIPE = {
    "EDGE_URL": os.environ.get("EDGE_URL", "https://pictures.example.com"),
    "KEYS": "/srv/mysite/var/keys",
    "DEVICE": os.environ.get("IMAGEPIPE_DEVICE", "cpu"),
    "RESOURCES": os.environ.get("IMAGEPIPE_RESOURCES", "").split(),
    "METRICS_TOKEN": os.environ.get("METRICS_TOKEN", ""),
}
