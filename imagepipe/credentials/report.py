"""Read a picture's content credential and say what it proves."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from imagepipe.credentials.context import check_mime, make_context
from imagepipe.credentials.manifests import GENERATION
from imagepipe.credentials.metadata import normalise_source_type

State = Literal["trusted", "valid", "invalid", "none"]

_UNTRUSTED, _TRUSTED = "signingCredential.untrusted", "signingCredential.trusted"


@dataclass(frozen=True)
class CredentialReport:
    """What the credential says, after checking it.

    state: "trusted" (unchanged, every signer of the chain leads to a given root), "valid"
    (unchanged, but a signer is not known), "invalid" (changed, or not readable), "none".
    chain: titles from the first picture to this one. actions: in the order they happened.
    source_type: the most recent one stated. generation: the recipe's hash and the model, of
    the most recent picture that a model made. failures: C2PA status codes. Everything but
    state and failures is unproven where the state is "invalid".
    """

    state: State
    source_type: str = ""
    claim_generator: str = ""
    actions: tuple[str, ...] = ()
    chain: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()
    generation: dict[str, Any] | None = None


def verify(
    data: bytes, mime: str, anchors_pem: bytes = b"", *, sidecar: bytes | None = None
) -> CredentialReport:
    """Check the credential in a JPEG, PNG, WebP or AVIF against trusted roots (PEM).

    sidecar is a credential that lies beside the picture (application/c2pa); it counts instead
    of one in the picture. Never asks the network. Raises UnsupportedFormat for other types
    only; bytes that are no picture at all are "invalid".
    """
    from c2pa import C2paError, Reader

    check_mime(mime)
    try:
        context = make_context(anchors_pem)
        with Reader(mime, io.BytesIO(data), sidecar, context=context) as reader:
            store, state = json.loads(reader.json()), reader.get_validation_state()
    except C2paError.ManifestNotFound:
        return CredentialReport("none")
    except C2paError as error:
        kind = type(error).__name__.removeprefix("_C2pa")
        return CredentialReport("invalid", failures=(f"unreadable: {kind}",))
    return _report(store, state)


def _report(store: dict[str, Any], state: str | None) -> CredentialReport:
    lineage = list(_lineage(store))  # this picture first
    recorded = list(_recorded_failures(store, lineage))
    failures = tuple(dict.fromkeys([*_present_failures(store), *recorded]))
    actions = [action for manifest in reversed(lineage) for action in _actions(manifest)]
    source_types = [source for manifest in lineage for source in _source_types(manifest)]
    return CredentialReport(
        state=_state(state, recorded),
        source_type=normalise_source_type(next(iter(source_types), "")),
        claim_generator=_claim_generator(lineage[0]) if lineage else "",
        actions=tuple(str(action.get("action", "")) for action in actions),
        chain=_chain(lineage),
        failures=failures,
        generation=next((found for m in lineage if (found := _generation(m))), None),
    )


def _state(state: str | None, recorded: list[str]) -> State:
    """c2pa's state of the whole store, lowered by what signers noted about their parents.

    A picture made from a tampered one is, for c2pa, a trusted statement that its parent was
    tampered with.
    """
    if state not in ("Trusted", "Valid") or any(code != _UNTRUSTED for code in recorded):
        return "invalid"
    return "valid" if state == "Valid" or recorded else "trusted"


def _lineage(store: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The active manifest, its parent's, and so on to the first."""
    known: dict[str, dict[str, Any]] = store.get("manifests", {})
    label: str | None = store.get("active_manifest")
    seen: set[str] = set()
    while label is not None and label in known and label not in seen:
        seen.add(label)
        yield known[label]
        label = next((parent.get("active_manifest") for parent in _parents(known[label])), None)


def _parents(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        ingredient
        for ingredient in manifest.get("ingredients", ())
        if ingredient.get("relationship") == "parentOf"
    ]


def _present_failures(store: dict[str, Any]) -> Iterator[str]:
    results = store.get("validation_results", {})
    deltas = [delta["validationDeltas"] for delta in results.get("ingredientDeltas") or ()]
    for found in (results.get("activeManifest") or {}, *deltas):
        yield from (failure["code"] for failure in found.get("failure", ()))


def _recorded_failures(store: dict[str, Any], lineage: list[dict[str, Any]]) -> Iterator[str]:
    """What signers noted about their parents, unless this reader now trusts the signer."""
    deltas = store.get("validation_results", {}).get("ingredientDeltas") or ()
    trusted = {
        success["url"]
        for delta in deltas
        for success in delta["validationDeltas"].get("success", ())
        if success["code"] == _TRUSTED
    }
    for manifest in lineage:
        for parent in _parents(manifest):
            results = parent.get("validation_results") or {}
            for failure in (results.get("activeManifest") or {}).get("failure", ()):
                if failure["code"] != _UNTRUSTED or failure.get("url") not in trusted:
                    yield failure["code"]


def _chain(lineage: list[dict[str, Any]]) -> tuple[str, ...]:
    titles = [str(manifest.get("title", "")) for manifest in lineage]
    if lineage:  # a parent without a credential of its own is known by its title only
        titles += [
            str(parent.get("title", ""))
            for parent in _parents(lineage[-1])
            if not parent.get("active_manifest")
        ]
    return tuple(reversed(titles))


def _actions(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        action
        for assertion in manifest.get("assertions", ())
        if assertion.get("label", "").startswith("c2pa.actions")
        for action in assertion.get("data", {}).get("actions", ())
    ]


def _source_types(manifest: dict[str, Any]) -> Iterator[str]:
    for holder, key in (
        *((action, "digitalSourceType") for action in reversed(_actions(manifest))),
        *((parent, "digital_source_type") for parent in _parents(manifest)),
    ):
        if source_type := holder.get(key):
            yield str(source_type)


def _claim_generator(manifest: dict[str, Any]) -> str:
    info: dict[str, Any] = next(iter(manifest.get("claim_generator_info") or ()), {})
    return f"{info.get('name', '')} {info.get('version', '')}".strip()


def _generation(manifest: dict[str, Any]) -> dict[str, Any] | None:
    for assertion in manifest.get("assertions", ()):
        if assertion.get("label") == GENERATION and isinstance(assertion.get("data"), dict):
            return dict(assertion["data"])
    return None
