"""What the master of a version says about itself, and whether that can be believed."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from imagepipe.assets import masters
from imagepipe.assets.models import AssetVersion
from imagepipe.credentials import (
    CredentialReport,
    CredentialsError,
    parse_xmp,
    read_xmp,
    verify,
)
from imagepipe.provenance.keys import key_folder
from imagepipe.provenance.masters import can_sign

VERDICTS: dict[str, Promise] = {
    "trusted": gettext_lazy("Unchanged since it was signed here"),
    "valid": gettext_lazy("Unchanged, but the signer is not known here"),
    "invalid": gettext_lazy("Changed after signing, or not readable"),
    "none": gettext_lazy("No content credential"),
    "unchecked": gettext_lazy("Not checked: the extra “provenance” is not installed"),
    "lost": gettext_lazy("The master is missing from the storage"),
}

SOURCE_TYPES: dict[str, Promise] = {
    "trainedAlgorithmicMedia": gettext_lazy("Made by a generative model"),
    "compositeWithTrainedAlgorithmicMedia": gettext_lazy("Composed with generated parts"),
    "compositeSynthetic": gettext_lazy("Composed with synthetic parts"),
    "algorithmicMedia": gettext_lazy("Made by an algorithm without training"),
    "algorithmicallyEnhanced": gettext_lazy("Enhanced by an algorithm"),
    "digitalCapture": gettext_lazy("Taken with a digital camera"),
    "computationalCapture": gettext_lazy("Taken with a camera that computes"),
    "digitalCreation": gettext_lazy("Created by a person with software"),
    "humanEdits": gettext_lazy("Edited by a person"),
    "composite": gettext_lazy("Composed of several pictures"),
}


@dataclass(frozen=True)
class Provenance:
    """``state`` is that of the credential, ``unchecked`` or ``lost``."""

    state: str
    rows: tuple[tuple[str, str], ...] = ()

    @property
    def verdict(self) -> str:
        return str(VERDICTS[self.state])


def provenance_of(version: AssetVersion) -> Provenance:
    """Read and verify the master's content credential and its XMP."""
    try:
        content = masters.read(version.sha256)
    except FileNotFoundError:
        return Provenance("lost")
    rows = _xmp_rows(content, version.mime)
    if not can_sign():
        return Provenance("unchecked", rows)
    try:
        report = verify(content, version.mime, _anchors())
    except CredentialsError:
        return Provenance("none", rows)
    return Provenance(report.state, (*_credential_rows(report), *rows))


def source_type_label(uri: str) -> str:
    """The IPTC digital source type in words; an unknown one as it stands."""
    name = uri.rpartition("/")[2]
    return str(SOURCE_TYPES.get(name, name))


def _anchors() -> bytes:
    try:
        return key_folder().root.read_bytes()
    except FileNotFoundError:
        return b""


def _credential_rows(report: CredentialReport) -> tuple[tuple[str, str], ...]:
    generation = report.generation or {}
    rows = (
        (_("Signed by"), report.claim_generator),
        (_("Source"), source_type_label(report.source_type)),
        (_("Steps"), ", ".join(report.actions)),
        (_("Made from"), " → ".join(report.chain)),
        (_("Model"), str(generation.get("model", ""))),
        (_("Recipe"), str(generation.get("recipe_sha256", ""))),
        (_("Problems"), ", ".join(report.failures)),
    )
    return tuple((label, text) for label, text in rows if text)


def _xmp_rows(content: bytes, mime: str) -> tuple[tuple[str, str], ...]:
    try:
        packet = read_xmp(content, mime)
        metadata = parse_xmp(packet) if packet else None
    except CredentialsError:
        return ((_("XMP"), _("The embedded metadata cannot be read.")),)
    if metadata is None:
        return ()
    rows = (
        (_("XMP title"), metadata.title),
        (_("XMP creator"), metadata.creator),
        (_("XMP credit"), metadata.credit),
        (_("XMP source"), source_type_label(metadata.source_type)),
        (_("XMP system"), f"{metadata.ai_system} {metadata.ai_system_version}".strip()),
        (_("XMP rights"), metadata.rights),
        (_("XMP training"), _("Not allowed") if metadata.no_training else ""),
    )
    return tuple((label, text) for label, text in rows if text)
