"""The picture (`Asset`), one immutable state of it (`AssetVersion`), and made-from edges."""

from __future__ import annotations

import uuid
from typing import Any, NoReturn

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from wagtail.images import get_image_model_string
from wagtail.models import Collection
from wagtail.models.media import get_root_collection_id

from imagepipe.exceptions import ImmutableRecord


class Undeletable(models.QuerySet[Any]):
    """A query set of things that only the two-person erase action may remove."""

    def delete(self) -> NoReturn:
        raise ImmutableRecord(f"{self.model._meta.verbose_name} records cannot be deleted.")


class Asset(models.Model):
    """A picture in the library, through all its versions.

    ``image`` is the Wagtail image that editors place on pages; it exists once the asset has
    been published (or was uploaded through Wagtail) and may be deleted without loss.
    """

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    title = models.CharField(max_length=255, verbose_name=_("title"))
    slug = models.SlugField(max_length=80, verbose_name=_("name in addresses"))
    image = models.OneToOneField(
        get_image_model_string(),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("image"),
    )
    collection = models.ForeignKey(
        Collection,
        default=get_root_collection_id,
        on_delete=models.SET(get_root_collection_id),
        related_name="+",
        verbose_name=_("collection"),
    )
    published_version = models.ForeignKey(
        "AssetVersion", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    decorative = models.BooleanField(default=False, verbose_name=_("decorative"))
    """Says nothing that the text does not say, wherever it stands: needs no words."""
    iiif = models.BooleanField(default=False, verbose_name=_("open to viewers (IIIF)"))
    withdrawn_at = models.DateTimeField(null=True, blank=True, verbose_name=_("withdrawn"))
    withdrawn_reason = models.CharField(max_length=255, blank=True)
    created_at = models.DateTimeField(auto_now_add=True, verbose_name=_("created"))
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("created by"),
    )

    objects = Undeletable.as_manager()
    wagtail_reference_index_ignore = True

    class Meta:
        ordering = ["-created_at", "-pk"]
        verbose_name = _("asset")
        verbose_name_plural = _("assets")
        permissions = [
            ("generate_asset", _("Can generate pictures")),
            ("review_asset", _("Can approve and reject pictures")),
            ("license_asset", _("Can set rights")),
            ("publish_asset", _("Can publish and withdraw pictures")),
        ]

    def __str__(self) -> str:
        return self.title

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise ImmutableRecord("Assets cannot be deleted; withdraw them instead.")

    def latest_version(self) -> AssetVersion | None:
        return self.versions.order_by("-number").first()

    def alt_texts(self) -> dict[str, str]:
        """Alternative texts by language code."""
        return {text.language: text.text for text in self.alttext_set.all()}

    def generated_alt_texts(self) -> list[str]:
        """Languages whose text a machine wrote and nobody has seen."""
        return [text.language for text in self.alttext_set.all() if text.generated]


class AssetVersion(models.Model):
    """One immutable, content-addressed state of an asset.

    The master bytes lie in the private storage under their SHA-256 and are never shared with
    the Wagtail image's file. Only ``state`` moves on; everything else is frozen at creation.
    """

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        APPROVED = "approved", _("Approved")
        REJECTED = "rejected", _("Rejected")
        PUBLISHED = "published", _("Published")
        SUPERSEDED = "superseded", _("Replaced")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    class Origin(models.TextChoices):
        GENERATED = "generated", _("Generated")
        UPLOADED = "uploaded", _("Uploaded")
        REPLACED = "replaced", _("File replaced")
        ADOPTED = "adopted", _("Adopted from the library")
        NOTICED = "noticed", _("Changed by other code")

    TRANSITIONS = {
        State.DRAFT: {State.APPROVED, State.REJECTED},
        State.APPROVED: {State.PUBLISHED, State.REJECTED},
        State.REJECTED: set[State](),
        State.PUBLISHED: {State.SUPERSEDED, State.WITHDRAWN},
        State.SUPERSEDED: {State.PUBLISHED},
        State.WITHDRAWN: {State.PUBLISHED, State.REJECTED},
    }

    asset = models.ForeignKey(Asset, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField(verbose_name=_("version"))
    state = models.CharField(
        max_length=16, choices=State.choices, default=State.DRAFT, verbose_name=_("state")
    )
    origin = models.CharField(max_length=16, choices=Origin.choices, verbose_name=_("origin"))
    source_type = models.CharField(max_length=120, blank=True)
    """IPTC digital source type (URI), https://cv.iptc.org/newscodes/digitalsourcetype/"""
    sha256 = models.CharField(max_length=64, db_index=True)
    mime = models.CharField(max_length=32)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    byte_count = models.PositiveBigIntegerField()
    frames = models.PositiveIntegerField(default=1, verbose_name=_("frames"))
    perceptual_hash = models.CharField(max_length=16, blank=True, db_index=True)
    file_name = models.CharField(max_length=255, blank=True)
    recipe = models.JSONField(null=True, blank=True)
    recipe_sha256 = models.CharField(max_length=64, blank=True, db_index=True)
    focal_x = models.FloatField(null=True, blank=True)
    focal_y = models.FloatField(null=True, blank=True)
    """Focal point as shares of width and height, 0 to 1."""
    created_at = models.DateTimeField(auto_now_add=True, verbose_name=_("created"))
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("created by"),
    )
    parents = models.ManyToManyField(
        "self", through="Lineage", symmetrical=False, related_name="children"
    )

    objects = Undeletable.as_manager()
    wagtail_reference_index_ignore = True
    MUTABLE = frozenset({"state", "created_by", "created_by_id"})

    class Meta:
        ordering = ["asset", "number"]
        verbose_name = _("asset version")
        verbose_name_plural = _("asset versions")
        constraints = [
            models.UniqueConstraint(
                fields=["asset", "number"], name="imagepipe_version_asset_number"
            )
        ]

    def __str__(self) -> str:
        return f"{self.asset} v{self.number}"

    @property
    def is_generated(self) -> bool:
        """Whether disclosure as an AI picture is due."""
        return "trainedalgorithmicmedia" in self.source_type.lower()

    @property
    def master_name(self) -> str:
        """Name of the master in the private storage."""
        return master_name(self.sha256)

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding and not set(kwargs.get("update_fields") or ()) & self.MUTABLE:
            raise ImmutableRecord("Versions never change; make a new one.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise ImmutableRecord("Versions cannot be deleted.")


def master_name(sha256: str) -> str:
    """Content-addressed name, fanned out over 256 folders."""
    return f"masters/{sha256[:2]}/{sha256}"


class Lineage(models.Model):
    """An edge of the made-from graph."""

    class Relation(models.TextChoices):
        REPLACES = "replaces", _("replaces")
        VARIATION = "variation", _("variation of")
        EDIT = "edit", _("edited from")
        REFERENCE = "reference", _("uses as reference")

    child = models.ForeignKey(
        AssetVersion, on_delete=models.PROTECT, related_name="parent_edges"
    )
    parent = models.ForeignKey(
        AssetVersion, on_delete=models.PROTECT, related_name="child_edges"
    )
    relation = models.CharField(max_length=16, choices=Relation.choices)

    wagtail_reference_index_ignore = True

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["child", "parent", "relation"], name="imagepipe_lineage_edge"
            )
        ]

    def __str__(self) -> str:
        return f"{self.child} {self.relation} {self.parent}"


class AltText(models.Model):
    """The alternative text of an asset in one language."""

    asset = models.ForeignKey(Asset, on_delete=models.CASCADE)
    language = models.CharField(max_length=16)
    text = models.CharField(max_length=250, blank=True)
    version = models.ForeignKey(
        AssetVersion, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    """Whose pixels it was written for; empty where that was not recorded."""
    generated = models.BooleanField(default=False)
    """Written by a machine and seen by nobody yet."""
    updated_at = models.DateTimeField(auto_now=True)

    wagtail_reference_index_ignore = True

    class Meta:
        ordering = ["language"]
        constraints = [
            models.UniqueConstraint(fields=["asset", "language"], name="imagepipe_alt_language")
        ]

    def __str__(self) -> str:
        return f"{self.language}: {self.text}"
