"""What is known of a published picture's content, kept beside its master.

Faces, subject and what stands in its place while it loads are facts of the bytes: found once,
stored under the content hash in the private storage, and put into grants and the documents of
pages. Losing them costs only finding them again.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.core.files.base import ContentFile

from imagepipe.assets import masters
from imagepipe.conf import get_settings
from imagepipe.delivery.colours import find_placeholder, read_placeholder
from imagepipe.delivery.subjects import find_faces, find_subject
from imagepipe.urlspec import Scene

logger = logging.getLogger("imagepipe.delivery")

#: Raise it when the same bytes would give other facts.
FINDER = 2
_LARGEST = 100_000  # bytes of a stored scene


def scene_name(sha256: str) -> str:
    """Name in the private storage."""
    return f"scenes/{sha256[:2]}/{sha256}.{FINDER}.json"


@dataclass(frozen=True)
class KnownContent:
    """What was found in a master."""

    scene: Scene = Scene()
    placeholder: dict[str, str] | None = None


def known_scene(sha256: str) -> Scene:
    """Faces and subject of a master, as far as they were looked for."""
    return known_content(sha256).scene


def known_content(sha256: str) -> KnownContent:
    """Everything that was found in a master, as far as it was looked for."""
    storage, name = get_settings().private_storage, scene_name(sha256)
    try:
        with storage.open(name) as file:
            value = json.loads(file.read(_LARGEST))
            return KnownContent(_read(value), read_placeholder(value["placeholder"]))
    except FileNotFoundError:
        return KnownContent()
    except (OSError, ValueError, KeyError, TypeError):
        logger.warning("the stored scene of master %s is damaged", sha256[:16])
        storage.delete(name)
        return KnownContent()


def find_scene(sha256: str) -> None:
    """Look into a master, unless that was done. Needs no transaction; takes 0.2 s.

    A picture that cannot be looked at has nothing known; that is stored too.
    """
    storage, name = get_settings().private_storage, scene_name(sha256)
    if storage.exists(name):
        return
    content = masters.read(sha256)

    def found_by(find: Callable[[bytes], Any], nothing: Any) -> Any:
        try:
            return find(content)
        except Exception:  # noqa: BLE001 a publication must not fail for a crop
            logger.warning("%s failed on master %s", find.__name__, sha256[:16])
            return nothing

    found = {
        "faces": found_by(find_faces, ()),
        "subject": found_by(find_subject, None),
        "placeholder": found_by(find_placeholder, None),
    }
    storage.save(name, ContentFile(json.dumps(found).encode()))


def forget_scene(sha256: str) -> None:
    """Have a master looked into again, the next time that it is published."""
    get_settings().private_storage.delete(scene_name(sha256))


def _read(value: dict[str, Any]) -> Scene:
    faces = tuple(_box(face) for face in value["faces"])
    return Scene(
        faces=faces, subject=None if value["subject"] is None else _box(value["subject"])
    )


def _box(value: Any) -> tuple[float, float, float, float]:
    x, y, width, height = (min(1.0, max(0.0, float(part))) for part in value)
    return x, y, width, height
