"""From which accepted pictures the pictures of a run were made."""

from __future__ import annotations

from imagepipe.assets.models import Asset, AssetVersion, Lineage
from imagepipe.workflow.briefs import Brief
from imagepipe.workflow.models import Candidate, Run

Parents = tuple[tuple[AssetVersion, str], ...]
EDIT, VARIATION, REFERENCE = (
    Lineage.Relation(name).value for name in ("edit", "variation", "reference")
)


def parents_of(run: Run) -> Parents:
    """The edited picture, the pictures that guided, and what "more like this" started from.

    A candidate that was never accepted stands for the nearest accepted picture before it.
    """
    brief = Brief.from_dict(run.request)
    found: list[tuple[AssetVersion, str]] = []
    if brief.edit and not _is_alike(run, brief):
        version = brief.edit.source.version()
        candidate = brief.edit.source.candidate()
        if version is not None:
            found.append((version, EDIT))
        elif candidate is not None:
            found += [(parent, EDIT) for parent in _nearest(candidate)]
    elif run.variation_of is not None:
        found += [(p, VARIATION) for p in _nearest(run.variation_of)]
    for control in brief.controls:
        if (version := control.source.version()) is not None:
            found.append((version, REFERENCE))
    if brief.style is not None and (version := brief.style.source.version()) is not None:
        found.append((version, REFERENCE))
    return tuple(dict.fromkeys(found))


def _is_alike(run: Run, brief: Brief) -> bool:
    """Whether the edit starts from what the run is a variation of, however often varied."""
    source, seen = run.variation_of, set[int]()
    while source is not None and source.pk not in seen:
        if brief.edit is not None and brief.edit.source.key == source.uid.hex:
            return True
        seen.add(source.pk)
        source = source.run.variation_of
    return False


def edited_asset(run: Run) -> Asset | None:
    """The asset of which the run's pictures may become versions: they keep its shape."""
    edit = Brief.from_dict(run.request).edit
    if edit is None or edit.frames:
        return None
    version = next((parent for parent, relation in parents_of(run) if relation == EDIT), None)
    if version is None or (version.width, version.height) != edit.size:
        return None
    return version.asset


def _nearest(candidate: Candidate) -> tuple[AssetVersion, ...]:
    source: Candidate | None = candidate
    seen = set[int]()
    while source is not None and source.pk not in seen:
        if source.version is not None:
            return (source.version,)
        seen.add(source.pk)
        edit = Brief.from_dict(source.run.request).edit
        if edit and (version := edit.source.version()) is not None:
            return (version,)
        source = (edit.source.candidate() if edit else None) or source.run.variation_of
    return ()


def edited_pictures(run: Run) -> frozenset[str]:
    """Hashes of the picture that a run edits and of those that were edited before it."""
    found: set[str] = set()
    edit = Brief.from_dict(run.request).edit
    while edit is not None and edit.source.sha256 not in found:
        found.add(edit.source.sha256)
        candidate = edit.source.candidate() or _origin(edit.source.version())
        edit = Brief.from_dict(candidate.run.request).edit if candidate else None
    return frozenset(found)


def _origin(version: AssetVersion | None) -> Candidate | None:
    if version is None:
        return None
    return Candidate.objects.select_related("run").filter(version=version).first()
