"""Who computes the control picture of a kind: our own functions, and those of the site.

``IMAGEPIPE["CONTROL_DETECTORS"]`` names a function per kind by its dotted path, such as
``{"openpose": "studio.poses.skeleton"}``. It takes a picture (``PIL.Image.Image``, RGB,
upright) and returns the control picture at the same size; the same picture must always give
the same answer, because finished steps are taken over. It runs in the worker and loads its
own weights.
"""

from __future__ import annotations

from collections.abc import Callable

from django.utils.module_loading import import_string
from PIL import Image

from imagepipe.conf import get_settings
from imagepipe.generation.control_pictures import COMPUTED
from imagepipe.generation.exceptions import UnsupportedRequest

Detector = Callable[[Image.Image], Image.Image]


def computed_kinds() -> frozenset[str]:
    """Kinds of control pictures that can be computed here."""
    return frozenset(COMPUTED) | frozenset(get_settings().CONTROL_DETECTORS)


def detector(kind: str) -> Detector:
    """Return the function for a kind. Raises :class:`UnsupportedRequest`."""
    path = get_settings().CONTROL_DETECTORS.get(kind)
    if path is None and kind in COMPUTED:
        return COMPUTED[kind]
    if path is None:
        raise UnsupportedRequest(
            f"Control pictures of kind “{kind}” are not computed here. Upload one. "
            f"Computed are: {', '.join(sorted(computed_kinds()))}."
        )
    try:
        found = import_string(path)
    except ImportError as error:
        raise UnsupportedRequest(
            f"The detector for control pictures of kind “{kind}” cannot be imported."
        ) from error
    return found
