"""Fingerprints of the pictures that a new one must not repeat."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from django.db.models import Q

from imagepipe.assets.models import AssetVersion
from imagepipe.quality.fingerprints import Fingerprint
from imagepipe.workflow.lineage import edited_pictures
from imagepipe.workflow.models import Candidate, Run


@dataclass
class KnownPictures:
    """Fingerprints by a name that people understand."""

    strangers: dict[str, Fingerprint] = field(default_factory=dict)
    """Versions of the library and pictures that other runs offer."""
    family: dict[str, Fingerprint] = field(default_factory=dict)
    """Earlier pictures of this run, and those of the runs that it asks for more of."""
    _names: Counter[str] = field(default_factory=Counter)

    def add(self, name: str, found: Fingerprint, *, kin: bool = False) -> None:
        """Keep it under its name; those of the same name are numbered."""
        self._names[name] += 1
        if (count := self._names[name]) > 1:
            name = f"{name} ({count})"
        (self.family if kin else self.strangers)[name] = found


def known_fingerprints(run: Run, index: int, own: Fingerprint | None) -> KnownPictures:
    """Return the known pictures.

    Runs that this one repeats are left out: it is meant to make the same pictures. So are,
    for an edit, the picture that it started from and all that was made from the same.
    Versions that came as files are known by their structure hash only.
    """
    known = KnownPictures()
    if own is None:
        return known
    repeated, varied = _repeated_runs(run), _varied_runs(run)
    offered = Candidate.objects.filter(
        Q(state=Candidate.State.OFFERED) | Q(state=Candidate.State.ACCEPTED)
    ).exclude(Q(run__in=repeated, state=Candidate.State.OFFERED) | Q(run=run, index__gte=index))
    if edited := edited_pictures(run):
        kin_of_edit = Q(sha256__in=edited) | Q(run=run)
        kin_of_edit |= Q(run__request__edit__source__sha256__in=sorted(edited))
        relatives = Candidate.objects.filter(kin_of_edit)
        offered = offered.exclude(pk__in=relatives.values("pk"))
    rows = offered.values_list(
        "run", "run__title", "index", "perceptual_hash", "findings", "version"
    )
    described: set[int] = set()
    for run_id, title, number, phash, findings, version in rows.iterator():
        found = _described(findings) or _structure_only(phash, own)
        if found is not None:
            kin = run_id == run.pk or run_id in varied
            known.add(f"{title} #{number + 1}", found, kin=kin)
            described.add(version)
    versions = AssetVersion.objects.exclude(perceptual_hash="").exclude(
        pk__in=described - {None}
    )
    if edited:
        versions = versions.exclude(sha256__in=edited).exclude(
            pk__in=relatives.exclude(version=None).values("version")
        )
    for title, number, phash in versions.values_list(
        "asset__title", "number", "perceptual_hash"
    ).iterator():
        found = _structure_only(phash, own)
        if found is not None:
            known.add(f"{title} v{number}", found)
    return known


def _varied_runs(run: Run) -> set[int]:
    """The runs from whose pictures "more like this" has led to this one."""
    found: set[int] = set()
    source = run.variation_of
    while source is not None and source.run_id not in found:
        found.add(source.run_id)
        source = source.run.variation_of
    return found


def _repeated_runs(run: Run) -> list[int]:
    chain: list[int] = []
    earlier = run.retry_of
    while earlier is not None and earlier.pk not in chain:
        chain.append(earlier.pk)
        earlier = earlier.retry_of
    return chain


def _described(findings: object) -> Fingerprint | None:
    for finding in findings if isinstance(findings, list) else []:
        text = (finding.get("details") or {}).get("fingerprint") if finding else None
        if isinstance(text, str):
            try:
                return Fingerprint.from_text(text)
            except ValueError:
                continue
    return None


def _structure_only(phash: str, own: Fingerprint) -> Fingerprint | None:
    try:
        return Fingerprint(int(phash, 16), own.dhash)
    except ValueError:
        return None
