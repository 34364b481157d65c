"""Fingerprints of the pictures that a new one must not repeat."""

from __future__ import annotations

from django.db.models import Q

from imagepipe.assets.models import AssetVersion
from imagepipe.quality.fingerprints import Fingerprint
from imagepipe.workflow.models import Candidate, Run


def known_fingerprints(run: Run, index: int, own: Fingerprint | None) -> dict[str, Fingerprint]:
    """Return the known pictures by a name that people understand.

    Those are the versions of the library, the pictures that other runs offer, and the
    earlier ones of this run. Runs that this one repeats are left out: it is meant to make
    the same pictures. Versions that came as files are known by their structure hash only.
    """
    if own is None:
        return {}
    found: dict[str, Fingerprint] = {}
    repeated = _repeated_runs(run)
    offered = Candidate.objects.filter(
        Q(state=Candidate.State.OFFERED) | Q(state=Candidate.State.ACCEPTED)
    ).exclude(Q(run__in=repeated, state=Candidate.State.OFFERED) | Q(run=run, index__gte=index))
    rows = offered.values_list("run__title", "index", "perceptual_hash", "findings", "version")
    described: set[int] = set()
    for title, number, phash, findings, version in rows.iterator():
        known = _described(findings) or _structure_only(phash, own)
        if known is not None:
            found[f"{title} #{number + 1}"] = known
            described.add(version)
    versions = AssetVersion.objects.exclude(perceptual_hash="").exclude(
        pk__in=described - {None}
    )
    for title, number, phash in versions.values_list(
        "asset__title", "number", "perceptual_hash"
    ).iterator():
        known = _structure_only(phash, own)
        if known is not None:
            found[f"{title} v{number}"] = known
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
