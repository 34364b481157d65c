"""What a picture says about itself, independent of where it is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum

_IPTC = "http://cv.iptc.org/newscodes/digitalsourcetype/"


class SourceType(StrEnum):
    """IPTC digital source types that this project writes.

    https://cv.iptc.org/newscodes/digitalsourcetype/
    """

    TRAINED_ALGORITHMIC_MEDIA = _IPTC + "trainedAlgorithmicMedia"
    COMPOSITE_WITH_TRAINED_ALGORITHMIC_MEDIA = _IPTC + "compositeWithTrainedAlgorithmicMedia"
    ALGORITHMIC_MEDIA = _IPTC + "algorithmicMedia"
    ALGORITHMICALLY_ENHANCED = _IPTC + "algorithmicallyEnhanced"
    COMPOSITE = _IPTC + "composite"
    COMPOSITE_CAPTURE = _IPTC + "compositeCapture"
    COMPOSITE_SYNTHETIC = _IPTC + "compositeSynthetic"
    DIGITAL_CAPTURE = _IPTC + "digitalCapture"
    COMPUTATIONAL_CAPTURE = _IPTC + "computationalCapture"
    DIGITAL_CREATION = _IPTC + "digitalCreation"
    HUMAN_EDITS = _IPTC + "humanEdits"
    NEGATIVE_FILM = _IPTC + "negativeFilm"
    POSITIVE_FILM = _IPTC + "positiveFilm"
    PRINT = _IPTC + "print"
    SCREEN_CAPTURE = _IPTC + "screenCapture"


#: Source types of pictures that generative AI made or changed.
GENERATIVE = frozenset(
    {
        SourceType.TRAINED_ALGORITHMIC_MEDIA,
        SourceType.COMPOSITE_WITH_TRAINED_ALGORITHMIC_MEDIA,
        SourceType.COMPOSITE_SYNTHETIC,
    }
)


def normalise_source_type(uri: str) -> str:
    """The URI with the scheme that the vocabulary itself uses; some writers say https."""
    if uri.startswith("https://cv.iptc.org/"):
        return "http" + uri.removeprefix("https")
    return uri


@dataclass(frozen=True)
class PictureMetadata:
    """Title, rights and AI marking of one picture. Empty text means "not stated".

    prompt is None unless the prompt is public. no_training states that the rights holder
    prohibits data mining for training AI.
    """

    title: str = ""
    description: str = ""
    alt: str = ""
    creator: str = ""
    credit: str = ""
    rights: str = ""
    web_statement: str = ""
    licensor: str = ""
    licensor_url: str = ""
    source_type: str = ""
    ai_system: str = ""
    ai_system_version: str = ""
    prompt: str | None = None
    prompt_writer: str = ""
    no_training: bool = True

    def marking(self) -> PictureMetadata:
        """Only how the picture was made, and whether machines may be trained with it."""
        return PictureMetadata(
            source_type=self.source_type,
            ai_system=self.ai_system,
            ai_system_version=self.ai_system_version,
            no_training=self.no_training,
        )

    def to_credit(self) -> dict[str, str]:
        """The stated text fields, and no_training as "true" or "false", without source_type."""
        credit = {
            field.name: value
            for field in fields(self)
            if isinstance(value := getattr(self, field.name), str) and value
        }
        credit.pop("source_type", None)
        credit["no_training"] = "true" if self.no_training else "false"
        return credit

    @classmethod
    def from_credit(cls, credit: Mapping[str, str], source_type: str = "") -> PictureMetadata:
        """The inverse of `to_credit`; unknown names are ignored."""
        known = {field.name for field in fields(cls)} - {"source_type", "no_training"}
        stated = {name: text for name, text in credit.items() if name in known and text}
        return cls(
            **stated,
            source_type=source_type,
            no_training=credit.get("no_training") != "false",
        )
