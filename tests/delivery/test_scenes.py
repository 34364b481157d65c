from __future__ import annotations

import io
import sys
from typing import Any

import numpy as np
import pytest
from PIL import Image
from skimage import data

from imagepipe.conf import get_settings
from imagepipe.delivery import subjects
from imagepipe.delivery.actions import PublishVersion
from imagepipe.delivery.reconcile import reconcile_now
from imagepipe.delivery.scenes import find_scene, known_scene, scene_name
from imagepipe.delivery.subjects import find_faces, find_subject
from imagepipe.urlspec import Scene
from tests.delivery.library import Library


def encoded(image: Image.Image, kind: str = "JPEG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def holds(box: tuple[float, ...], x: float, y: float) -> bool:
    return box[0] <= x <= box[0] + box[2] and box[1] <= y <= box[1] + box[3]


@pytest.fixture(scope="module")
def astronaut() -> bytes:
    return encoded(Image.fromarray(data.astronaut()), quality=90)


def test_a_face_is_found_with_its_hair(astronaut: bytes) -> None:
    (head,) = find_faces(astronaut)

    assert holds(head, 0.44, 0.2)
    assert head[1] < 0.08
    assert find_faces(encoded(Image.fromarray(data.coffee()))) == ()


def test_a_turned_picture_is_looked_at_upright(astronaut: bytes) -> None:
    exif = Image.Exif()
    exif[0x112] = 6
    lying = Image.open(io.BytesIO(astronaut)).transpose(Image.Transpose.ROTATE_90)

    (head,) = find_faces(encoded(lying, exif=exif, quality=90))

    assert holds(head, 0.44, 0.2)


def test_without_opencv_there_are_no_faces(astronaut: bytes, monkeypatch: Any) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)
    subjects._face_detector.cache_clear()
    try:
        assert find_faces(astronaut) == ()
    finally:
        subjects._face_detector.cache_clear()


@pytest.mark.parametrize("place", [(60, 40), (220, 60), (150, 150)])
def test_the_subject_is_what_stands_out(place: tuple[int, int]) -> None:
    noise = np.random.default_rng(3).normal(120, 3, (200, 300, 3)).clip(0, 255)
    image = Image.fromarray(noise.astype(np.uint8))
    image.paste("red", (place[0] - 15, place[1] - 15, place[0] + 15, place[1] + 15))

    box = find_subject(encoded(image, "PNG"))

    assert box is not None
    assert holds(
        (box[0] - 0.02, box[1] - 0.02, box[2] + 0.04, box[3] + 0.04),
        place[0] / 300,
        place[1] / 200,
    )
    assert box[2] * box[3] < 0.1


@pytest.mark.parametrize("size", [(1, 1), (3, 700), (700, 2)])
def test_any_shape_has_a_subject_or_none(size: tuple[int, int]) -> None:
    box = find_subject(encoded(Image.new("RGBA", size, "red"), "PNG"))

    assert box is None or all(0 <= part <= 1 for part in box)


def test_the_grant_carries_faces_and_subject(library: Library, astronaut: bytes) -> None:
    asset = library.asset()
    library.do(PublishVersion(library.version(asset, astronaut), None))

    reconcile_now()

    (version,) = library.grant(asset).versions
    assert len(version.faces) == 1
    assert holds(version.faces[0], 0.44, 0.2)
    assert version.subject is not None


def test_a_scene_is_found_once_and_again_when_it_was_damaged(
    library: Library, astronaut: bytes, monkeypatch: Any
) -> None:
    version = library.version(library.asset(), astronaut)
    find_scene(version.sha256)
    known = known_scene(version.sha256)
    assert known.faces
    monkeypatch.setattr("imagepipe.delivery.scenes.find_faces", lambda content: 1 / 0)
    find_scene(version.sha256)
    assert known_scene(version.sha256) == known

    storage, name = get_settings().private_storage, scene_name(version.sha256)
    with open(storage.path(name), "wb") as file:
        file.write(b'{"faces": [')

    assert known_scene(version.sha256) == Scene()
    find_scene(version.sha256)
    assert known_scene(version.sha256) == Scene(subject=known.subject)
    assert storage.exists(name)
