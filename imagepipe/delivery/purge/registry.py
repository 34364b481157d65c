"""The targets of the setting ``PURGE_TARGETS``, and the kinds there are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.core.exceptions import ImproperlyConfigured

from imagepipe.conf import get_settings
from imagepipe.delivery.purge.akamai import AkamaiTarget
from imagepipe.delivery.purge.cloudflare import CloudflareTarget
from imagepipe.delivery.purge.cloudfront import CloudFrontTarget
from imagepipe.delivery.purge.edge import EdgeTarget
from imagepipe.delivery.purge.fastly import FastlyTarget
from imagepipe.delivery.purge.target import Options, Target
from imagepipe.delivery.purge.varnish import VarnishTarget

_kinds: dict[str, Callable[[Options], Target]] = {
    "edge": EdgeTarget,
    "cloudflare": CloudflareTarget,
    "fastly": FastlyTarget,
    "cloudfront": CloudFrontTarget,
    "akamai": AkamaiTarget,
    "varnish": VarnishTarget,
}


@dataclass(frozen=True)
class Configured:
    """A target under its name; ``probe`` asks afterwards whether the picture is really gone."""

    name: str
    target: Target
    probe: bool = False


def register(kind: str, make: Callable[[Options], Target]) -> None:
    """Add a kind of target; the last one of a name counts."""
    _kinds[kind] = make


def kinds() -> tuple[str, ...]:
    return tuple(sorted(_kinds))


def configured() -> dict[str, Configured]:
    """By name. Raises ImproperlyConfigured, naming the target."""
    found: dict[str, Configured] = {}
    for values in get_settings().PURGE_TARGETS:
        kind = str(values.get("kind", ""))
        name = str(values.get("name") or kind)
        if kind not in _kinds:
            raise ImproperlyConfigured(
                f"PURGE_TARGETS: {kind or 'a target without a kind'} is not one of "
                f"{', '.join(kinds())}"
            )
        if name in found or len(name) > 40:
            raise ImproperlyConfigured(f"PURGE_TARGETS: the name {name} is taken or too long")
        options = Options(values)
        target = _kinds[kind](options)
        options.finish()
        found[name] = Configured(name, target, bool(values.get("probe")))
    return found
