from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from imagepipe.assets import masters, thumbnails
from imagepipe.assets.thumbnails import SIDE, reduce


def encode(image: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def opened(content: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(content))
    assert image.format == "JPEG"
    return image


def test_the_longer_side_is_limited_and_the_shape_kept():
    small = opened(reduce(encode(Image.new("RGB", (1920, 960)), "PNG")))
    assert small.size == (SIDE, SIDE // 2)


def test_a_small_picture_is_not_enlarged():
    assert opened(reduce(encode(Image.new("L", (40, 30)), "PNG"))).size == (40, 30)


def test_transparency_becomes_white():
    small = opened(reduce(encode(Image.new("RGBA", (50, 50), (255, 0, 0, 0)), "PNG")))
    assert small.getpixel((25, 25)) == (255, 255, 255)


def test_a_turned_photograph_stands_upright_and_tells_nothing():
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "Maker"
    content = encode(Image.new("RGB", (800, 400)), "JPEG", exif=exif)
    small = opened(reduce(content))
    assert small.size == (SIDE // 2, SIDE)
    assert not small.getexif()


def test_many_who_ask_at_once_wait_for_one(
    settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storages = {name: dict(options) for name, options in settings.STORAGES.items()}
    storages["imagepipe_private"]["OPTIONS"] = {"location": tmp_path, "base_url": None}
    settings.STORAGES = storages
    sha256 = masters.store(encode(Image.new("RGB", (4000, 3000), "teal"), "PNG"))
    made = []

    def watched(content: bytes) -> bytes:
        made.append(content)
        return reduce(content)

    monkeypatch.setattr(thumbnails, "reduce", watched)
    with ThreadPoolExecutor(4) as pool:
        answers = set(pool.map(thumbnails.read, [sha256] * 8))
    assert len(answers) == len(made) == 1
    assert opened(answers.pop()).size == (SIDE, SIDE * 3 // 4)
    assert len(list((tmp_path / "thumbnails").rglob("*.jpg"))) == 1
