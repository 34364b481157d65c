"""Pictures that a run starts from: a version, a candidate, or a file that somebody gives.

They are named by the hash of their bytes, so that what a run uses can never change, and by
what they belong to, so that permission can be asked for and lineage written down.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.contrib.auth.models import AbstractBaseUser
from django.utils.translation import gettext as _
from wagtail.permissions import policy_registry

from imagepipe.assets import masters
from imagepipe.assets.inspection import inspect_picture
from imagepipe.assets.models import AssetVersion
from imagepipe.conf import get_settings
from imagepipe.credentials import GENERATIVE, SourceType
from imagepipe.workflow import blobs
from imagepipe.workflow.exceptions import InvalidBrief, LostWork
from imagepipe.workflow.models import Candidate

VERSION, CANDIDATE, UPLOAD = "version", "candidate", "upload"
VERBS = ("view", "generate", "change", "review", "license", "publish")
MAKING = ("view", "generate", "review")
"""Whoever holds one of these verbs sees assets, or runs and candidates."""
MAX_PIXELS = 40_000_000
"""Of a picture that is worked on: several copies of it are in memory at once."""


@dataclass(frozen=True, slots=True)
class SourcePicture:
    """Which bytes, how large they are shown (pixels), and whose they are.

    ``key`` is the uid of a version's asset or of a candidate, in hex; empty for an upload.
    """

    kind: str
    sha256: str
    width: int
    height: int
    key: str = ""

    @classmethod
    def of_version(cls, version: AssetVersion) -> SourcePicture:
        size = version.width, version.height
        return cls(VERSION, version.sha256, *size, version.asset.uid.hex)

    @classmethod
    def of_candidate(cls, candidate: Candidate) -> SourcePicture:
        size = candidate.width, candidate.height
        return cls(CANDIDATE, candidate.sha256, *size, candidate.uid.hex)

    @classmethod
    def of_upload(cls, content: bytes) -> SourcePicture:
        """Keep a file that somebody gives. Raises ``UnusablePicture``."""
        limit = get_settings().MAX_UPLOAD_BYTES
        facts = inspect_picture(content, max_bytes=limit, max_pixels=MAX_PIXELS)
        return cls(UPLOAD, blobs.store(content), *facts.display_size)

    def version(self) -> AssetVersion | None:
        """The version that it is, or that the candidate has become."""
        if self.kind == VERSION:
            versions = AssetVersion.objects.select_related("asset__collection")
            found = versions.filter(asset__uid=self._uid(), sha256=self.sha256)
            return found.order_by("-number").first()
        candidate = self.candidate()
        return candidate.version if candidate else None

    def candidate(self) -> Candidate | None:
        if self.kind != CANDIDATE:
            return None
        candidates = Candidate.objects.select_related("run__collection", "version__asset")
        return candidates.filter(uid=self._uid(), sha256=self.sha256).first()

    def _uid(self) -> uuid.UUID | None:
        try:
            return uuid.UUID(hex=self.key)
        except ValueError:
            return None

    def may_be_used(self, user: AbstractBaseUser) -> bool:
        """Whether the person may look at it; what was uploaded came from who asks."""
        if self.kind == UPLOAD:
            return True
        if self.kind == VERSION:
            version = self.version()
            return version is not None and _holds(user, VERBS, version.asset)
        candidate = self.candidate()
        return candidate is not None and _holds(user, MAKING, candidate.run)

    def check(self, field: str) -> None:
        """Raise ``InvalidBrief`` for a picture that is gone, withdrawn or too large."""
        version = self.version()
        if version is None and self.kind != UPLOAD and self.candidate() is None:
            raise InvalidBrief(_("The picture to start from is not there any more."), field)
        withdrawn = version is not None and (
            version.state == AssetVersion.State.WITHDRAWN or version.asset.withdrawn_at
        )
        if withdrawn:
            raise InvalidBrief(
                _("The picture to start from was withdrawn. Choose another one."), field
            )
        if self.width * self.height > MAX_PIXELS:
            raise InvalidBrief(
                _(
                    "The picture to start from has %(size)s pixels; at most %(limit)d "
                    "million can be worked on."
                )
                % {"size": f"{self.width}×{self.height}", "limit": MAX_PIXELS // 10**6},
                field,
            )

    def source_type(self, *, by_model: bool = True) -> str:
        """The digital source type of what is made from it.

        What was generated as a whole stays so. What a model changes becomes a composite;
        what an algorithm without a model extends keeps what was generated in it.
        """
        whole = SourceType.TRAINED_ALGORITHMIC_MEDIA.value
        candidate, version = self.candidate(), self.version()
        own = ""
        if version is not None:
            own = version.source_type
        elif candidate is not None:
            own = candidate.run.request.get("source_type") or whole
        if own == whole or (not by_model and own in GENERATIVE):
            return own
        if not by_model:
            return SourceType.ALGORITHMICALLY_ENHANCED.value
        return SourceType.COMPOSITE_WITH_TRAINED_ALGORITHMIC_MEDIA.value


def read(sha256: str) -> bytes:
    """The bytes, wherever they lie. Raises :class:`LostWork`."""
    if blobs.exists(sha256):
        return blobs.read(sha256)
    try:
        with blobs.outages():
            return masters.read(sha256)
    except FileNotFoundError:
        raise LostWork(_("The picture to start from is missing from the storage.")) from None


def _holds(user: AbstractBaseUser, verbs: tuple[str, ...], subject: object) -> bool:
    policy = policy_registry.get(subject)
    return bool(policy.user_has_any_permission_for_instance(user, verbs, subject))
