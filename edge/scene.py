"""What a grant tells of a picture's content, as geometry wants it."""

from __future__ import annotations

from imagepipe.grants import GrantedVersion
from imagepipe.urlspec import Scene


def scene_of(version: GrantedVersion) -> Scene:
    """Focal point, faces, subject and named crops of a version."""
    return Scene(version.focal, version.faces, version.subject, version.crops)
