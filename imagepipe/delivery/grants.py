"""The grant of an asset, built from the database."""

from __future__ import annotations

from typing import Any

from imagepipe.assets.models import Asset, AssetVersion
from imagepipe.conf import get_settings
from imagepipe.credentials import GENERATIVE
from imagepipe.credentials.metadata import normalise_source_type
from imagepipe.delivery.alternatives import choose_alt, default_codes
from imagepipe.delivery.crop_models import crops_of
from imagepipe.delivery.documents import rights_of, slug_of, window_of
from imagepipe.delivery.focal import focal_point
from imagepipe.delivery.scenes import known_scene
from imagepipe.grants import Grant, GrantedVersion, InvalidDocument
from imagepipe.grants.grant import MOST_VERSIONS
from imagepipe.rights.models import RightsRecord

State = AssetVersion.State
DELIVERED = (State.PUBLISHED, State.SUPERSEDED, State.WITHDRAWN)


def build_grant(asset: Asset, *, sequence: int, now: int) -> Grant:
    """Say what the database says. ``sequence`` is the generation, ``now`` in Unix seconds.

    Raises InvalidDocument for facts that no edge would accept.
    """
    rights = rights_of(asset)
    versions = _versions(asset)
    current = asset.published_version
    grant = Grant(
        asset=asset.uid.hex,
        sequence=sequence,
        issued_at=now,
        valid_until=now + get_settings().GRANT_LIFETIME,
        slug=slug_of(asset),
        versions=tuple(_granted(asset, version, rights) for version in versions),
        fallback=rights.fallback.uid.hex if rights and rights.fallback else None,
        tags=cache_tags(asset),
        disclosure=current is not None and current.is_generated,
        iiif=asset.iiif,
    )
    return Grant.from_dict(grant.to_dict())


def cache_tags(asset: Asset) -> tuple[str, ...]:
    """What downstream caches file the asset's pictures under."""
    return (f"asset-{asset.uid.hex}", f"collection-{asset.collection_id}")


def _versions(asset: Asset) -> list[AssetVersion]:
    """Published first, then the newest; the same bytes only once, in their best state."""
    order = {state: rank for rank, state in enumerate(DELIVERED)}
    found = asset.versions.filter(state__in=DELIVERED)
    unique: dict[str, AssetVersion] = {}
    for version in sorted(found, key=lambda item: (order[State(item.state)], -item.number)):
        unique.setdefault(version.sha256, version)
    return list(unique.values())[:MOST_VERSIONS]


def _granted(
    asset: Asset, version: AssetVersion, rights: RightsRecord | None
) -> GrantedVersion:
    begin, end = window_of(rights)
    focal = focal_point(asset, version)
    scene = known_scene(version.sha256)
    return GrantedVersion(
        sha256=version.sha256,
        mime=version.mime,
        width=version.width,
        height=version.height,
        bytes=version.byte_count,
        state=_state(version),
        valid_from=begin,
        valid_until=end,
        markets=tuple(market.upper() for market in rights.markets) if rights else (),
        channels=tuple(channel.lower() for channel in rights.channels) if rights else (),
        focal=(focal[0], focal[1]) if focal else None,
        faces=scene.faces,
        subject=scene.subject,
        crops=crops_of(version),
        source_type=version.source_type,
        credit=_credit(asset, version, rights),
    )


def _state(version: AssetVersion) -> Any:
    if version.state not in DELIVERED:
        raise InvalidDocument(f"version {version.number} is not delivered")
    return str(version.state)


def _credit(asset: Asset, version: AssetVersion, rights: RightsRecord | None) -> dict[str, str]:
    """What the delivered picture says about itself; empty facts are left out."""
    recipe: dict[str, Any] = version.recipe or {}
    settings = get_settings()
    model, environment = recipe.get("model") or {}, recipe.get("environment") or {}
    credit = {
        "title": asset.title,
        "alt": choose_alt(asset.alt_texts(), default_codes()[0]),
        "creator": settings.CREATOR or (rights.rights_holder if rights else ""),
        "no_training": "true",
    }
    if normalise_source_type(version.source_type or "") in GENERATIVE:
        credit |= {
            "ai_system": str(model.get("slug") or ""),
            "ai_system_version": str(environment.get("backend_version") or ""),
        }
    if rights is not None:
        credit |= {
            "credit": rights.credit or rights.rights_holder,
            "rights": rights.licence,
            "web_statement": rights.licence_url,
            "licensor": rights.rights_holder,
            "licensor_url": rights.acquire_url,
        }
    if settings.PUBLIC_PROMPTS:
        credit["prompt"] = str(recipe.get("prompt") or "")
    return {name: text for name, text in credit.items() if text}
