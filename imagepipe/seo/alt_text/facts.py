"""What is known of a picture that words can be made of, and where each word comes from."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import PurePosixPath
from typing import Any

from django.utils.translation import gettext_lazy as _

from imagepipe.assets.models import Asset, AssetVersion
from imagepipe.delivery.alternatives import default_codes
from imagepipe.generation.canonical import canonical_json
from imagepipe.prompts import rendering
from imagepipe.prompts.exceptions import PromptError
from imagepipe.prompts.models import PromptTemplate
from imagepipe.seo.alt_advice import advice
from imagepipe.seo.alt_text.context import Place, places_of

SOURCES = {
    "prompt": _("the prompt that made the picture"),
    "title": _("the title"),
    "file-name": _("the name of the file"),
    "tag": _("a tag"),
    "recognised": _("recognised in the picture"),
    "faces": _("faces found in the picture"),
    "page": _("the page that shows it"),
    "model": _("a captioning model"),
}
"""Stable code of where words come from → how people are told."""
MAX_TAGS = 5
_MANNER = frozenset(
    "photo photograph picture image render rendering illustration drawing painting shot".split()
)


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything but the pixels. ``language`` is that of title, file name and tags."""

    version: str
    """SHA-256 of the master."""
    language: str
    subject: str = ""
    """What the prompt asks for, without manner and light; English as prompts are."""
    title: str = ""
    """Empty where it says nothing, as names that cameras give."""
    title_source: str = "title"
    tags: tuple[str, ...] = ()
    places: tuple[Place, ...] = ()

    def fingerprint(self, maker: str) -> str:
        """Hash of all of it and of ``maker``, which names what makes words of it."""
        return hashlib.sha256(canonical_json([asdict(self), maker])).hexdigest()


def gather(asset: Asset, version: AssetVersion) -> Facts:
    """Read what the database knows; a handful of queries, no pixels."""
    title, source = _title(asset, version)
    return Facts(
        version=version.sha256,
        language=default_codes()[0],
        subject=subject_of(version.recipe),
        title=title,
        title_source=source,
        tags=_tags(asset),
        places=places_of(asset),
    )


def subject_of(recipe: Mapping[str, Any] | None) -> str:
    """What a recipe's prompt says that the picture shows."""
    if not isinstance(recipe, Mapping):
        return ""
    prompt = str(recipe.get("prompt") or "")
    subject = _from_template(recipe.get("template")) or prompt.partition(",")[0]
    return _without_manner(rendering.tidy(subject))


def _from_template(facts: Any) -> str:
    """The segment that names the subject, if the template still says the same."""
    if not isinstance(facts, Mapping):
        return ""
    template = PromptTemplate.objects.filter(slug=str(facts.get("slug"))[:80]).first()
    variables = facts.get("variables")
    if template is None or rendering.fingerprint(template) != facts.get("version"):
        return ""
    try:
        values = dict(variables or {})
        return rendering.fill(template.subject, {k: str(v) for k, v in values.items()})
    except (PromptError, KeyError, TypeError, ValueError):
        return ""


def _without_manner(text: str) -> str:
    """“A studio photo of a fox” is a fox."""
    before, of, after = text.partition(" of ")
    words = before.lower().split()
    if of and len(words) <= 4 and words and words[-1] in _MANNER:
        return after.strip()
    return text.strip()


def _title(asset: Asset, version: AssetVersion) -> tuple[str, str]:
    """The title, else the words of the file's name; empty where both say nothing."""
    stem = PurePosixPath(version.file_name).stem
    title = " ".join(asset.title.split())
    source = "title"
    if not title or title.lower() == stem.lower():
        title, source = " ".join(stem.replace("_", " ").replace("-", " ").split()), "file-name"
    language = default_codes()[0]
    said = advice(title, language)
    if {"file-name", "placeholder"} & set(said) or not any(map(str.isalpha, title)):
        return "", source
    if any(map(str.isdigit, title)) and source == "file-name":
        return "", source
    return title[:120], source


def _tags(asset: Asset) -> tuple[str, ...]:
    tags = getattr(asset.image, "tags", None) if asset.image_id else None
    if tags is None:
        return ()
    return tuple(sorted(tag.name[:40] for tag in tags.all())[:MAX_TAGS])
