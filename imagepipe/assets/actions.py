"""Changes to the library itself: new versions and their words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.utils.text import slugify
from django.utils.translation import gettext as _

from imagepipe.actions.base import Action
from imagepipe.assets import masters
from imagepipe.assets.inspection import PictureFacts
from imagepipe.assets.models import AltText, Asset, AssetVersion, Lineage
from imagepipe.assets.staleness import described_version
from imagepipe.events.bus import AssetChanged, emit
from imagepipe.exceptions import ImagepipeError

MAX_ALT_TEXT = 250
Parents = Iterable[tuple[AssetVersion, str]]


class IngestVersion(Action[Asset, AssetVersion]):
    """Make a new draft version of an asset from bytes; saves the asset if it is new.

    ``content`` must be the bytes that ``facts`` were taken from. They are stored before the
    transaction begins: a rollback leaves at most an unreferenced master, never a lost one.
    Generated pictures need the permission ``generate``, all others ``change``.
    """

    action_name = "imagepipe.ingest"
    permission_policy_action = "change"

    def __init__(
        self,
        instance: Asset,
        user: AbstractBaseUser | None,
        *,
        content: bytes,
        facts: PictureFacts,
        origin: str,
        source_type: str = "",
        recipe: Mapping[str, Any] | None = None,
        recipe_sha256: str = "",
        parents: Parents = (),
        file_name: str = "",
    ) -> None:
        super().__init__(instance, user)
        self.content, self.facts = content, facts
        self.origin, self.source_type = origin, source_type
        self.recipe, self.recipe_sha256 = recipe, recipe_sha256
        self.parents, self.file_name = tuple(parents), file_name
        if origin == AssetVersion.Origin.GENERATED:
            self.permission_policy_action = "generate"

    def execute(self, skip_permission_checks: bool = False) -> AssetVersion:
        self.check(skip_permission_checks)
        if masters.store(self.content) != self.facts.sha256:
            raise ImagepipeError("The facts do not belong to the content.")
        return super().execute(skip_permission_checks=True)

    def perform(self) -> AssetVersion:
        asset, creator = self.instance, self.user
        if asset._state.adding:
            asset.slug = asset.slug or slugify(asset.title)[:80].strip("-") or "picture"
            asset.created_by = creator = asset.created_by or self.user
            asset.save()
        else:
            Asset.objects.select_for_update().get(pk=asset.pk)
        latest = asset.latest_version()
        width, height = self.facts.display_size
        version = AssetVersion.objects.create(
            asset=asset,
            number=latest.number + 1 if latest else 1,
            origin=self.origin,
            source_type=self.source_type,
            sha256=self.facts.sha256,
            mime=self.facts.mime,
            width=width,
            height=height,
            byte_count=self.facts.bytes,
            frames=self.facts.frames,
            perceptual_hash=self.facts.phash or "",
            file_name=self.file_name[:255],
            recipe=dict(self.recipe) if self.recipe is not None else None,
            recipe_sha256=self.recipe_sha256,
            created_by=creator,
        )
        for parent, relation in self.parents:
            Lineage.objects.create(child=version, parent=parent, relation=relation)
        self.audit_data = {
            "version": version.number,
            "sha256": version.sha256,
            "origin": version.origin,
        }
        return version


class SetAltText(Action[Asset, Asset]):
    """Set the alternative texts by language code; an empty text removes that language.

    ``version`` is the one that was looked at; None: the published one, else the newest.
    ``generated`` marks texts that a machine wrote and nobody has seen.
    """

    action_name = "imagepipe.set_alt_text"
    permission_policy_action = "change"

    def __init__(
        self,
        instance: Asset,
        user: AbstractBaseUser | None,
        *,
        texts: Mapping[str, str],
        version: AssetVersion | None = None,
        generated: bool = False,
    ) -> None:
        super().__init__(instance, user)
        self.texts = {language: text.strip() for language, text in texts.items()}
        self.version, self.generated = version, generated

    def perform(self) -> Asset:
        version = self.version or described_version(self.instance)
        if version is not None and version.asset_id != self.instance.pk:
            raise ImagepipeError(_("The version belongs to another picture."))
        for language, text in self.texts.items():
            if len(text) > MAX_ALT_TEXT:
                raise ImagepipeError(
                    _("An alternative text has at most %(limit)d characters.")
                    % {"limit": MAX_ALT_TEXT}
                )
            if text:
                AltText.objects.update_or_create(
                    asset=self.instance,
                    language=language,
                    defaults={"text": text, "version": version, "generated": self.generated},
                )
            else:
                AltText.objects.filter(asset=self.instance, language=language).delete()
        self.audit_data = {"texts": self.texts}
        if self.generated:
            self.audit_data["generated"] = True
        emit(AssetChanged(self.instance.uid.hex))
        return self.instance


class MarkDecorative(Action[Asset, Asset]):
    """Say that a picture is decoration wherever it stands, or that it is not after all.

    Its texts stay, for the day when it is not.
    """

    action_name = "imagepipe.mark_decorative"
    permission_policy_action = "change"

    def __init__(
        self, instance: Asset, user: AbstractBaseUser | None, *, decorative: bool
    ) -> None:
        super().__init__(instance, user)
        self.decorative = decorative

    def perform(self) -> Asset:
        asset = self.instance
        asset.decorative = self.decorative
        asset.save(update_fields=["decorative"])
        self.audit_data = {"decorative": self.decorative}
        emit(AssetChanged(asset.uid.hex))
        return asset
