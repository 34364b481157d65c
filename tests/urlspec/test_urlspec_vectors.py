"""The recorded vectors hold for this code, and the signatures for HMAC computed by hand."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from pathlib import Path

import pytest

from imagepipe.urlspec import (
    InvalidTransform,
    Keyring,
    Scene,
    UrlspecError,
    build_path,
    format_transform,
    parse_path,
    parse_transform,
    plan,
    sign_path,
    verify_url,
)

VECTORS = json.loads(
    (Path(__file__).parents[2] / "fixtures/vectors/urlspec.json").read_text("utf-8")
)


@pytest.mark.parametrize("vector", VECTORS["grammar"], ids=lambda vector: vector["text"])
def test_grammar(vector: dict) -> None:
    if vector["canonical"] is None:
        with pytest.raises(InvalidTransform):
            parse_transform(vector["text"])
    else:
        assert format_transform(parse_transform(vector["text"])) == vector["canonical"]


@pytest.mark.parametrize(
    "vector",
    VECTORS["geometry"],
    ids=lambda vector: f"{vector['source'][0]}x{vector['source'][1]} {vector['transform']}",
)
def test_geometry(vector: dict) -> None:
    focal = tuple(vector["focal"]) if vector["focal"] else None

    result = plan(*vector["source"], parse_transform(vector["transform"]), Scene(focal=focal))

    assert [result.scale_width, result.scale_height] == vector["scale"]
    assert list(result.crop_box) == vector["crop_box"]
    assert [result.width, result.height] == vector["size"]
    assert list(result.offset) == vector["offset"]


@pytest.mark.parametrize("vector", VECTORS["signing"]["valid"], ids=lambda v: v["url"][-40:])
def test_signing(vector: dict) -> None:
    keyring = Keyring.from_json(json.dumps(VECTORS["signing"]["keyring"]))
    key = bytes.fromhex(VECTORS["signing"]["keyring"]["keys"][vector["kid"]])
    message = f"{vector['kid']}/{vector['path']}".encode()
    digest = hmac.new(key, message, hashlib.sha256).digest()
    signature = base64.urlsafe_b64encode(digest).decode().rstrip("=")

    assert vector["url"] == f"/{vector['kid']}/{signature}/{vector['path']}"
    path = verify_url(vector["url"], keyring, vector["now"])
    assert build_path(path) == vector["path"]
    assert parse_path(vector["path"]) == path
    if vector["kid"] == keyring.active:
        assert sign_path(path, keyring) == vector["url"]


@pytest.mark.parametrize("vector", VECTORS["signing"]["refused"], ids=lambda v: v["why"])
def test_refusals(vector: dict) -> None:
    keyring = Keyring.from_json(json.dumps(VECTORS["signing"]["keyring"]))

    with pytest.raises(UrlspecError) as caught:
        verify_url(vector["url"], keyring, vector["now"])

    assert type(caught.value).__name__ == vector["error"]
