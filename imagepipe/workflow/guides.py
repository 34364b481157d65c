"""Remembers masks and control pictures of new runs, so that they can be found again."""

from __future__ import annotations

from collections.abc import Iterator

from imagepipe.workflow.briefs import Brief
from imagepipe.workflow.guide_models import Guide
from imagepipe.workflow.models import Run
from imagepipe.workflow.source_pictures import UPLOAD


def keep_guides(run: Run, brief: Brief) -> None:
    """Write down what a saved run was given; once for all runs of a collection.

    Pictures of the library are not repeated here: they are found as what they are.
    """
    for guide in _guides(run, brief):
        same = Guide.objects.filter(kind=guide.kind, sha256=guide.sha256)
        if not same.filter(run__collection=run.collection_id).exists():
            guide.save(force_insert=True)


def _guides(run: Run, brief: Brief) -> Iterator[Guide]:
    edit = brief.edit
    if edit is not None and edit.mask:
        width, height = edit.size
        yield Guide(
            kind=Guide.Kind.MASK, sha256=edit.mask, run=run, width=width, height=height
        )
    for wish in brief.controls:
        if wish.source.kind == UPLOAD:
            yield Guide(
                kind=Guide.Kind.CONTROL,
                sha256=wish.source.sha256,
                run=run,
                width=wish.source.width,
                height=wish.source.height,
                ready=not wish.computed,
            )
