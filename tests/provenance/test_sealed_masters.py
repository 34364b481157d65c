from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from imagepipe.credentials import SourceType, parse_xmp, read_xmp, verify
from imagepipe.provenance import masters
from imagepipe.provenance.keys import create_keys, key_folder
from tests.delivery.library import png

SEAL = {
    "title": "Harbour",
    "recipe_sha256": "ab" * 32,
    "model_name": "tiny-sd",
    "generator": "diffusers",
}


@pytest.fixture(autouse=True)
def _keys(tmp_path: Path, settings: Any) -> None:
    settings.IMAGEPIPE = {
        **settings.IMAGEPIPE,
        "KEYS": tmp_path / "keys",
        "CREATOR": "The newsroom",
    }
    create_keys()


def test_generated_masters_say_what_made_them() -> None:
    content = png(40, 30)
    sealed = masters.seal_generated(content, **SEAL)
    report = verify(sealed, "image/png", key_folder().root.read_bytes())
    assert (report.state, report.failures) == ("trusted", ())
    assert report.source_type == SourceType.TRAINED_ALGORITHMIC_MEDIA.value
    assert report.generation == {"recipe_sha256": "ab" * 32, "model": "tiny-sd"}
    metadata = parse_xmp(read_xmp(sealed, "image/png") or b"")
    assert metadata.source_type == SourceType.TRAINED_ALGORITHMIC_MEDIA.value
    assert (metadata.creator, metadata.ai_system) == ("The newsroom", "diffusers")
    assert metadata.prompt is None
    pixels = [Image.open(io.BytesIO(data)).tobytes() for data in (content, sealed)]
    assert pixels[0] == pixels[1]


def test_one_changed_byte_is_found() -> None:
    sealed = bytearray(masters.seal_generated(png(40, 30), **SEAL))
    sealed[-20] ^= 1
    root = key_folder().root.read_bytes()
    assert verify(bytes(sealed), "image/png", root).state == "invalid"


def test_uploads_are_sealed_on_a_copy_and_only_once() -> None:
    content = png(40, 30)
    source = SourceType.DIGITAL_CAPTURE.value
    sealed = masters.seal_uploaded(content, "image/png", title="Photo", source_type=source)
    root = key_folder().root.read_bytes()
    assert verify(content, "image/png", root).state == "none"
    assert verify(sealed, "image/png", root).state == "trusted"
    again = masters.seal_uploaded(sealed, "image/png", title="Photo", source_type=source)
    assert again == sealed


def test_without_the_library_generated_pictures_are_marked_but_not_signed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(masters, "can_sign", lambda: False)
    sealed = masters.seal_generated(png(), **SEAL)
    assert verify(sealed, "image/png").state == "none"
    assert read_xmp(sealed, "image/png") is not None
    content = png()
    assert masters.seal_uploaded(content, "image/png", title="", source_type="") == content
