"""A library on folders of its own, and the shortest way to put pictures into it."""

from __future__ import annotations

import hashlib
import io
import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.core.files.base import ContentFile
from django.test import TestCase
from PIL import Image
from wagtail.images import get_image_model

from imagepipe.actions.base import Action
from imagepipe.assets import masters
from imagepipe.assets.models import AltText, Asset, AssetVersion
from imagepipe.delivery.models import Publication
from imagepipe.grants import FeedDocument, Grant, feed_path, grant_path, shard_of, unseal
from imagepipe.provenance.keys import create_keys, load_grant_public_keys
from imagepipe.rights.models import RightsRecord

GENERATED = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
_colours = itertools.count(1)


def png(width: int = 64, height: int = 48, colour: int | None = None) -> bytes:
    """A picture unlike any other made here."""
    number = next(_colours) if colour is None else colour
    red_green_blue = (number * 37 % 256, number // 7 % 256, 90)
    file = io.BytesIO()
    Image.new("RGB", (width, height), red_green_blue).save(file, "PNG")
    return file.getvalue()


def loose_image(content: bytes | None = None, title: str = "Old", **fields: Any) -> Any:
    """An image from before imagepipe was installed: no signal told of it."""
    model = get_image_model()
    file = ContentFile(content or png(), name="old.png")
    [image] = model.objects.bulk_create([model(title=title, file=file, **fields)])
    return image


@dataclass
class Library:
    delivery: Path
    media: Path
    private: Path

    @classmethod
    def at(cls, folder: Path, settings: Any) -> Library:
        storages = {name: dict(value) for name, value in settings.STORAGES.items()}
        places = {
            "imagepipe_delivery": folder / "delivery",
            "default": folder / "media",
            "imagepipe_private": folder / "private",
        }
        for alias, place in places.items():
            base_url = "/media/" if alias == "default" else None
            storages[alias] = {
                "BACKEND": "django.core.files.storage.FileSystemStorage",
                "OPTIONS": {"location": str(place), "base_url": base_url},
            }
        settings.STORAGES = storages
        settings.MEDIA_ROOT = str(folder / "media")
        create_keys()
        return cls(folder / "delivery", folder / "media", folder / "private")

    def asset(
        self, title: str = "Harbour", *, rights: bool = True, alt: bool = True, **fields: Any
    ) -> Asset:
        asset = Asset.objects.create(title=title, slug="harbour", **fields)
        if rights:
            RightsRecord.objects.create(
                asset=asset, licence="CC BY 4.0", rights_holder="Ada", credit="Photo: Ada"
            )
        if alt:
            AltText.objects.create(asset=asset, language="en", text="Boats in the harbour")
            AltText.objects.create(asset=asset, language="de", text="Boote im Hafen")
        return asset

    def version(
        self,
        asset: Asset,
        content: bytes | None = None,
        *,
        state: str = "approved",
        source_type: str = "",
        **fields: Any,
    ) -> AssetVersion:
        content = content or png()
        with Image.open(io.BytesIO(content)) as picture:
            width, height = picture.size
        number = asset.versions.count() + 1
        return AssetVersion.objects.create(
            asset=asset,
            number=number,
            state=state,
            origin="uploaded",
            source_type=source_type,
            sha256=masters.store(content),
            mime="image/png",
            width=width,
            height=height,
            byte_count=len(content),
            **fields,
        )

    def do(self, action: Action[Any, Any]) -> Any:
        """Execute an action with its follow-ups, as if its transaction were committed."""
        with TestCase.captureOnCommitCallbacks(execute=True):
            return action.execute()

    def publication(self, asset: Asset) -> Publication:
        return Publication.objects.get(asset=asset)

    def grant(self, asset: Asset) -> Grant:
        data = (self.delivery / grant_path(asset.uid.hex)).read_bytes()
        return Grant.from_dict(unseal(data, load_grant_public_keys(), "grant"))

    def feed(self, asset: Asset) -> FeedDocument:
        data = (self.delivery / feed_path(shard_of(asset.uid.hex))).read_bytes()
        return FeedDocument.from_dict(unseal(data, load_grant_public_keys(), "feed"))

    def delivered_masters(self) -> set[str]:
        return {path.name for path in (self.delivery / "masters").glob("*/*")}

    def media_hashes(self) -> set[str]:
        """SHA-256 of everything in the public media folder."""
        return {
            hashlib.sha256(path.read_bytes()).hexdigest()
            for path in self.media.rglob("*")
            if path.is_file()
        }
