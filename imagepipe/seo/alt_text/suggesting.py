"""Suggestions for one picture: made by every captioner, unless they were made already."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from imagepipe.assets import masters
from imagepipe.assets.models import Asset, AssetVersion
from imagepipe.assets.staleness import described_version
from imagepipe.delivery import scenes
from imagepipe.seo.alt_text.captioner import Caption, Captioner
from imagepipe.seo.alt_text.facts import gather
from imagepipe.seo.models import AltSuggestion


@dataclass(frozen=True, slots=True)
class Suggested:
    """What one captioner said in one language, and the fingerprint of what it knew."""

    language: str
    captioner: str
    fingerprint: str
    caption: Caption


@dataclass(frozen=True)
class Outcome:
    """``made`` are new; ``kept`` counts those of unchanged pictures that stand."""

    version: AssetVersion
    made: tuple[Suggested, ...] = ()
    kept: int = 0


def suggest(
    asset: Asset, languages: Iterable[str], captioners: Iterable[Captioner]
) -> Outcome | None:
    """Look at a picture and find words; None for one without a version. Writes nothing.

    Takes about half a second for a picture that was not looked at before.
    """
    version = described_version(asset)
    if version is None:
        return None
    facts = gather(asset, version)
    known = _known(asset)
    made: list[Suggested] = []
    kept, content = 0, b""
    for captioner in captioners:
        fingerprint = facts.fingerprint(captioner.identity)
        for language in languages:
            if known.get((language, captioner.slug)) == fingerprint:
                kept += 1
                continue
            if not content:
                content = masters.read(version.sha256)
                scenes.find_scene(version.sha256)
            caption = captioner.caption(content, facts, language)
            made.append(Suggested(language, captioner.slug, fingerprint, caption))
    return Outcome(version, tuple(made), kept)


def _known(asset: Asset) -> Mapping[tuple[str, str], str]:
    rows = AltSuggestion.objects.filter(asset=asset)
    return {
        (language, captioner): fingerprint
        for language, captioner, fingerprint in rows.values_list(
            "language", "captioner", "fingerprint"
        )
    }
