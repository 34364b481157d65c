"""System checks of the libraries that are installed, and of those that are missing."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterable

from django.core.checks import CheckMessage, Warning

from imagepipe.provenance.masters import can_sign


def torchvision() -> Iterable[CheckMessage]:
    """Warn of a torchvision for another torch; from metadata, as importing both may crash."""
    torch, torchvision = installed_version("torch"), installed_version("torchvision")
    if torch is None or torchvision is None:
        return
    if _local(torch) != _local(torchvision) or not _wants(torch):
        yield Warning(
            f"torchvision {torchvision} does not fit torch {torch}: generation will fail.",
            hint="Uninstall torchvision; only the extra 'openclip' needs it, in an environment "
            "of its own with constraints-openclip.txt.",
            id="imagepipe.W002",
        )


def installed_version(package: str) -> str | None:
    """Return the version of an installed package, None where it is not there."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _local(version: str) -> str:
    return version.partition("+")[2]


def _wants(torch: str) -> bool:
    """Whether the installed torchvision was built for this torch."""
    public = torch.partition("+")[0]
    wanted = [
        item.replace(" ", "").replace("(", "").replace(")", "").partition(";")[0]
        for item in importlib.metadata.requires("torchvision") or ()
    ]
    exact = [item for item in wanted if item.startswith("torch==")]
    return not exact or f"torch=={public}" in exact


def provenance() -> Iterable[CheckMessage]:
    """Warn where nothing can be signed."""
    if not can_sign():
        yield Warning(
            "Pictures are published without content credentials.",
            hint="Install the extra: pip install 'wagtail-imagepipe[provenance]'",
            id="imagepipe.W003",
        )


def avif() -> Iterable[CheckMessage]:
    """Warn where AVIF files cannot be opened."""
    from PIL import Image

    if ".avif" not in Image.registered_extensions():
        yield Warning(
            "This Pillow cannot read AVIF.",
            hint="Install the extra: pip install 'wagtail-imagepipe[avif]'",
            id="imagepipe.W004",
        )
