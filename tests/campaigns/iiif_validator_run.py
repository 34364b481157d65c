"""The public IIIF validator against a real edge.

    pip install iiif-validator    # or its newest source on the path; it wants libmagic
    python -m tests.campaigns.iiif_validator_run

Prints one line for each of its tests for version 3.0, with the level that asks for it, and
exits with the number of failures at levels 0 to 2. With `--upscale` the edge enlarges.
"""

from __future__ import annotations

import contextlib
import io
import sys
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image

from imagepipe.credentials import create_development_identities
from tests.edge.conftest import Delivery, Server, encoded

VERSION = "3.0"


def chart(colours: list[list[tuple[int, int, int]]]) -> bytes:
    """The validator's picture: ten by ten squares of 100 pixels."""
    image = Image.new("RGB", (1000, 1000))
    for x, column in enumerate(colours):
        for y, colour in enumerate(column):
            image.paste(colour, (100 * x, 100 * y, 100 * x + 100, 100 * y + 100))
    return encoded(image, "PNG")


def run(validator: Any, name: str, server: str, asset: str) -> str:
    """What the validator says of one of its tests; empty if it is content."""
    result = validator.ImageAPI(asset, server, "iiif/3", "http", "", VERSION, debug=False)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            validator.TestSuite(validator.ValidationInfo()).run_test(name, result)
    except Exception as error:  # noqa: BLE001 whatever a test of the validator stumbles over
        return f"{type(error).__name__}: {error}"
    failed = result.exception
    if failed is None:
        return ""
    told = f"{failed.type}: got {failed.got!r}, expected {failed.expected!r}"
    return f"{told}, at {result.last_url}"


def main() -> int:
    from iiif_validator import validator

    known = validator.TestSuite(validator.ValidationInfo()).list_tests(VERSION)
    failures = 0
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        create_development_identities(root / "identities")
        delivery = Delivery(root / "delivery", root / "identities")
        data = chart(validator.ValidationInfo().colorInfo)
        asset = delivery.publish(delivery.version(data, "image/png"), iiif=True)
        upscale = {"IMAGEPIPE_EDGE_IIIF_UPSCALE": "yes" if "--upscale" in sys.argv else "no"}
        server = Server(delivery.environ | upscale, root / "edge.log")
        try:
            for name in sorted(known, key=lambda name: (known[name]["level"], name)):
                said = run(validator, name, f"127.0.0.1:{server.port}", asset)
                failures += bool(said) and known[name]["level"] <= 2
                print(f"level {known[name]['level']}  {name:24} {said or 'passed'}")  # noqa: T201
        finally:
            server.stop()
    return failures


if __name__ == "__main__":
    sys.exit(main())
