"""Take an existing image library under management."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import IO, Any

help = "Give every image without an asset one, with its file as the first version."
PROGRESS = 100


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--dry-run", action="store_true", help="only count")
    parser.add_argument("--limit", type=int, metavar="NUMBER", help="stop after so many")


def handle(options: dict[str, Any], stdout: IO[str], stderr: IO[str]) -> None:
    """Each image is a transaction of its own, so a stopped run is simply started again."""
    from django.db.models import Exists, OuterRef
    from wagtail.images import get_image_model

    from imagepipe.assets.exceptions import UnusablePicture
    from imagepipe.assets.models import Asset
    from imagepipe.workflow.uploads import adopt

    managed = Asset.objects.filter(image_id=OuterRef("pk"))
    waiting = get_image_model()._default_manager.filter(~Exists(managed)).order_by("pk")
    if options.get("dry_run"):
        stdout.write(f"{waiting.count()} images to adopt\n")
        return
    keys = list(waiting.values_list("pk", flat=True))
    adopted = failed = 0
    for key in keys:
        if options.get("limit") is not None and adopted >= options["limit"]:
            break
        image = waiting.filter(pk=key).first()
        if image is None:
            continue
        try:
            adopt(image)
        except (UnusablePicture, OSError) as error:
            failed += 1
            stderr.write(f"image {key}: {error}\n")
            continue
        adopted += 1
        if adopted % PROGRESS == 0:
            stdout.write(f"{adopted} of {len(keys)}\n")
    stdout.write(f"{adopted} images adopted, {failed} failed\n")
