"""Runs the automatic checks on a finished picture; their verdict decides what is offered."""

from __future__ import annotations

import io
from typing import Any

from django.utils.translation import gettext as _
from PIL import Image

from imagepipe.conf import get_settings
from imagepipe.quality import registry as checks
from imagepipe.quality.gates import run_checks
from imagepipe.workflow import blobs
from imagepipe.workflow.context import StepContext
from imagepipe.workflow.known_pictures import known_fingerprints
from imagepipe.workflow.steps.registry import Step


def run(context: StepContext) -> dict[str, Any]:
    context.report(0, _("Checking the picture"))
    content = blobs.read(context.inputs["picture"]["sha256"])
    image = Image.open(io.BytesIO(content), formats=("PNG",))
    image.load()
    own = _fingerprint(image)
    known = known_fingerprints(context.run, context.node.params["index"], own)
    made = [
        checks.build("technical"),
        checks.build("nsfw"),
        checks.build("duplicates", known=known.strangers, family=known.family),
    ]
    if match := get_settings().PROMPT_MATCH:
        made.append(checks.build("prompt-match", prompt=context.node.params["prompt"], **match))
    verdict = run_checks(image, made)
    return verdict.to_dict() | {"fingerprint": "" if own is None else str(own)}


def _fingerprint(image: Image.Image) -> Any:
    from imagepipe.quality.fingerprints import fingerprint

    try:
        return fingerprint(image)
    except ImportError:
        return None


STEP = Step(
    "checks",
    run,
    weight=1,
    takes=(("picture", "master"),),
    gives="verdict",
)
