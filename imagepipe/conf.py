"""The one settings dict, ``IMAGEPIPE = {...}``, with its defaults and types.

Read at call time through :func:`get_settings`; ``override_settings`` works in tests.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.files.storage import Storage, storages
from django.core.signals import setting_changed


@dataclasses.dataclass(frozen=True)
class ImagepipeSettings:
    """Every setting of imagepipe, with its default."""

    EDGE_URL: str = "http://127.0.0.1:8001"
    """Public address of the edge or of the CDN before it, without a trailing slash."""
    KEYS: Path = Path("var/keys")
    """Folder with ``url-keys.json``, ``grant-key.pem``, ``grant-keys.json``, …"""
    APPROVAL: str = "required"
    """``"required"``: nothing is deliverable before approval. ``"off"``: only versioned."""
    FOUR_EYES: bool = False
    """Whether somebody other than the creator has to approve."""
    PRIVATE_STORAGE: str = "imagepipe_private"
    """Alias in ``STORAGES`` for masters and candidates; never served publicly."""
    DELIVERY_STORAGE: str = "imagepipe_delivery"
    """Alias in ``STORAGES`` that the edge reads."""
    PRESETS: Mapping[str, Mapping[str, Any]] = dataclasses.field(default_factory=dict)
    """Named presets of the picture tag; see the reference of the template tag."""
    CROPS: Mapping[str, Mapping[str, Any] | None] = dataclasses.field(default_factory=dict)
    """Crops that pictures can have by name, beside the built-in ones; None leaves one out."""
    PROFILES: Mapping[str, Mapping[str, Any]] = dataclasses.field(default_factory=dict)
    """Named profiles of image fields and blocks; see the reference of the fields."""
    GRANT_LIFETIME: int = 24 * 3600
    """Seconds after which an edge that could not refresh a grant fails closed."""
    PURGE_TARGETS: Sequence[Mapping[str, Any]] = ()
    """Edges and CDNs that are told at once to forget; see the reference of purges."""
    MAX_PROMPT_LENGTH: int = 2000
    MAX_UPLOAD_BYTES: int = 30 * 1024 * 1024
    MAX_PIXELS: int = 100_000_000
    CANDIDATES: int = 4
    """Pictures offered per run unless the form says otherwise."""
    TORCH_THREADS: int = 1
    DEVICE: str = "cpu"
    PRECISION: str = "float32"
    """``"float32"``, or ``"bfloat16"`` and ``"float16"`` for accelerators."""
    OFFLOAD: str = "none"
    """``"model"`` or ``"sequential"``: weights come to the accelerator when needed."""
    ATTENTION: str = "auto"
    """Attention of torch: ``"auto"``, ``"math"``, ``"efficient"``, ``"flash"``, ``"cudnn"``."""
    MODEL_FOLDERS: Sequence[str | Path] = ()
    """Folders below which the form may register models; the command may anywhere."""
    HUB_MODELS: Sequence[str] = ()
    """Ids on a hub that may be fetched: ``["stabilityai/*"]``; empty: none."""
    HUB_FOLDER: Path = Path("var/hub")
    """Where fetched models lie, as a cache of ``huggingface_hub``; the same on all machines."""
    HUB_MAX_BYTES: int = 40 * 1024**3
    """Of one model; a larger one is refused before anything is fetched."""
    MODEL_MEMORY: int = 8 * 1024**3
    """Bytes of models that a worker keeps loaded."""
    LEASE_SECONDS: int = 30
    """A worker that has not renewed its lease for so long has lost the run."""
    MAX_ATTEMPTS: int = 3
    """How often a run is taken up again after its worker was lost."""
    TASK_ENGINE: str = "database"
    """What tells workers of a run: ``database`` (they poll), ``inline``, ``celery``, ``rq``."""
    TASK_QUEUES: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """Queue of Celery or RQ per class of machine: ``{"gpu": "imagepipe-gpu"}``."""
    RESOURCES: Sequence[str] = ()
    """Classes of machine that workers with these settings offer, such as ``"gpu"``."""
    WORKER_MEMORY: int = 0
    """Bytes that a worker offers to one run; 0: not known, every run is taken."""
    PICTURE_ATTEMPTS: int = 1
    """How often a picture that the checks refuse is made, each time with another seed."""
    RETRY_SECONDS: float = 10.0
    """Pause before the second attempt after a failure that may pass; doubled each time."""
    AGEING_SECONDS: float = 1800.0
    """A wait that lifts the lowest priority to the highest."""
    BUNDLE_SECONDS: float = 60.0
    """How long a worker stays with its loaded model while others of equal rank wait."""
    MAX_WAITING: int = 10_000
    """Runs that may wait; a new one is refused beyond that."""
    ENGINE_LIMITS: Mapping[str, Mapping[str, int]] = dataclasses.field(default_factory=dict)
    """Per backend: ``{"diffusers": {"concurrent": 2, "per_minute": 30}}``."""
    ENGINE_PRICES: Mapping[str, Mapping[str, Any]] = dataclasses.field(default_factory=dict)
    """Per backend: ``{"diffusers": {"second": "0.0005"}}``, or ``picture``; without: free."""
    CURRENCY: str = "EUR"
    """Of prices and of quotas of money, as ISO 4217 writes it."""
    BACKENDS: Mapping[str, Mapping[str, Any]] = dataclasses.field(default_factory=dict)
    """Options of the backends, by name: ``{"diffusers": {"precision": "bfloat16"}}``."""
    CONTROL_DETECTORS: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """Function that computes control pictures of a kind: kind to dotted path."""
    FALLBACKS: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """Model that takes the place of another whose engine cannot be used: slug to slug."""
    ROUTES: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """Model for a purpose: ``{"ideation": slug, "production": slug}``."""
    PROMPT_MATCH: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    """Options of the check ``prompt-match``: ``folder``, ``threshold``; empty: not made."""
    ALT_TEXT_PUBLISH: str = "confirmed"
    """``"confirmed"``: texts that somebody saw. ``"generated"``: strong suggestions, too."""
    ALT_TEXT_STALE: str = "shown"
    """``"shown"``: texts for earlier pixels are listed. ``"blocks"``: none is published."""
    PUBLIC_PROMPTS: bool = False
    """Whether prompts may appear in public metadata."""
    CREATOR: str = ""
    """Default creator and credit line written into generated pictures."""
    METRICS_TOKEN: str = ""
    """What Prometheus has to send as ``Authorization: Bearer …``; empty: no metrics."""
    PICTURE_IDENTIFIERS: bool = False
    """Whether the picture tag names asset and version in ``data-`` attributes."""
    PICTURE_THUMBHASH: bool = False
    """Whether lazy pictures carry their thumbhash, which ``imagepipe/thumbhash.js`` draws."""
    PICTURE_CACHE_SECONDS: int = 30
    """How long the picture tag may remember an asset's delivery data."""
    SITEMAP_DETAILS: bool = False
    """Whether image sitemaps carry title, caption and licence, which Google ignores."""

    @property
    def private_storage(self) -> Storage:
        return storages[self.PRIVATE_STORAGE]

    @property
    def delivery_storage(self) -> Storage:
        return storages[self.DELIVERY_STORAGE]


@lru_cache(maxsize=1)
def get_settings() -> ImagepipeSettings:
    """Return the settings of this process.

    Raises ``ImproperlyConfigured`` for a name that imagepipe does not know.
    """
    values = dict(getattr(settings, "IMAGEPIPE", {}))
    known = {field.name for field in dataclasses.fields(ImagepipeSettings)}
    if unknown := sorted(set(values) - known):
        raise ImproperlyConfigured(
            f"IMAGEPIPE has unknown settings: {', '.join(unknown)}. "
            f"Known are: {', '.join(sorted(known))}."
        )
    if "KEYS" in values:
        values["KEYS"] = Path(values["KEYS"])
    if "HUB_FOLDER" in values:
        values["HUB_FOLDER"] = Path(values["HUB_FOLDER"])
    if "EDGE_URL" in values:
        values["EDGE_URL"] = str(values["EDGE_URL"]).rstrip("/")
    return ImagepipeSettings(**values)


def _forget(*, setting: str, **kwargs: Any) -> None:
    if setting in {"IMAGEPIPE", "STORAGES"}:
        get_settings.cache_clear()


setting_changed.connect(_forget, dispatch_uid="imagepipe.conf")
