from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image, features

from imagepipe.credentials import SigningIdentity, create_development_identities

FORMATS = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP"}
if features.check_module("avif") if "avif" in features.modules else False:
    FORMATS["image/avif"] = "AVIF"


@pytest.fixture(scope="session")
def identities(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("identities")
    create_development_identities(folder)
    return folder


@pytest.fixture(scope="session")
def anchors(identities: Path) -> bytes:
    return (identities / "root.pem").read_bytes()


@pytest.fixture(scope="session")
def cms_identity(identities: Path) -> SigningIdentity:
    return SigningIdentity.load(identities / "cms")


@pytest.fixture(scope="session")
def edge_identity(identities: Path) -> SigningIdentity:
    return SigningIdentity.load(identities / "edge")


@pytest.fixture(scope="session")
def pictures() -> dict[str, bytes]:
    """One noisy picture, encoded in every format this Pillow writes."""
    image = Image.effect_noise((320, 240), 60).convert("RGB")
    encoded = {}
    for mime, name in FORMATS.items():
        buffer = io.BytesIO()
        image.save(buffer, name)
        encoded[mime] = buffer.getvalue()
    return encoded


@pytest.fixture(params=["image/jpeg", "image/png", "image/webp", "image/avif"])
def mime(request: pytest.FixtureRequest) -> str:
    if request.param not in FORMATS:
        pytest.skip("this Pillow does not write AVIF (11.3 or newer does)")
    return str(request.param)
