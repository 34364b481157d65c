"""What a replay needs from this installation: the model, the pictures, the original."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from imagepipe.assets import masters
from imagepipe.assets.models import AssetVersion
from imagepipe.exceptions import ImagepipeError
from imagepipe.generation.recipe import Recipe
from imagepipe.generation.request import ModelReference
from imagepipe.registry.folders import content_sha256
from imagepipe.registry.kinds import Kind
from imagepipe.registry.models import RegisteredModel
from imagepipe.workflow import blobs
from imagepipe.workflow.exceptions import LostWork
from imagepipe.workflow.models import RunState

COMPANIONS = (Kind.LORA, Kind.EMBEDDING, Kind.CONTROLNET, Kind.IP_ADAPTER)
USABLE = (RegisteredModel.State.ALLOWED, RegisteredModel.State.RETIRED)
"""A retired model makes no new pictures; those that it made may still be proved."""


class ReplayRefused(ImagepipeError):
    """Something that the recipe needs is not there, or is not what it was."""

    code = "replay-refused"

    def __init__(self, reason: str, *, name: str = "", then: str = "", now: str = "") -> None:
        super().__init__(reason)
        self.facts = {"code": reason, "name": name, "then": then, "now": now}


@dataclass(frozen=True, slots=True)
class Original:
    """The raw picture as it was: its SHA-256 (empty: not known) and its bytes, if kept."""

    sha256: str
    content: bytes | None


def read_recipe(version: AssetVersion) -> Recipe:
    """Return the recipe. Raises :class:`ReplayRefused` when it was tampered with."""
    recipe = Recipe.from_dict(version.recipe)
    if version.recipe_sha256 and recipe.sha256 != version.recipe_sha256:
        raise ReplayRefused("recipe-changed", then=version.recipe_sha256, now=recipe.sha256)
    return recipe


def registered_model(recipe: Recipe) -> RegisteredModel | None:
    """Return the model of the recipe: by its content, else by its name; None: not here."""
    return _registered(recipe.model.slug, recipe.model.sha256, (Kind.CHECKPOINT,))


def _registered(slug: str, sha256: str, kinds: tuple[Kind, ...]) -> RegisteredModel | None:
    known = RegisteredModel.objects.filter(
        kind__in=[kind.value for kind in kinds], state__in=USABLE
    )
    same = list(known.filter(sha256=sha256)) if sha256 else []
    named = known.filter(slug=slug).first()
    return next((model for model in same if model == named), same[0] if same else named)


def find_model(
    recipe: Recipe, *, other_weights: bool
) -> tuple[RegisteredModel, ModelReference]:
    """Return the model and how to ask for it. Raises :class:`ReplayRefused`.

    ``other_weights``: take the files as they are now, whatever their content.
    """
    facts = recipe.model
    model = registered_model(recipe)
    if model is None:
        raise ReplayRefused("model-missing", name=facts.slug, then=facts.sha256)
    return model, _reference(model, facts.slug, facts.sha256, other_weights)


def find_companion(slug: str, sha256: str, *, other_weights: bool) -> ModelReference:
    """Return weights that are used beside a model. Raises :class:`ReplayRefused`."""
    model = _registered(slug, sha256, COMPANIONS)
    if model is None:
        raise ReplayRefused("model-missing", name=slug, then=sha256)
    return _reference(model, slug, sha256, other_weights)


def _reference(
    model: RegisteredModel, slug: str, sha256: str, other_weights: bool
) -> ModelReference:
    now = present_sha256(model)
    if now and sha256 and now != sha256 and not other_weights:
        raise ReplayRefused("weights", name=slug, then=sha256, now=now)
    wanted = "" if other_weights else sha256
    return ModelReference(slug, model.location, model.family, wanted)


def present_sha256(model: RegisteredModel) -> str:
    """Return the hash of the files as they are; of what is no local folder, as registered."""
    folder = Path(model.location).expanduser()
    try:
        if model.backend == "diffusers" and folder.is_dir():
            return content_sha256(folder)
    except OSError:
        return ""
    return model.sha256


def read_picture(sha256: str) -> bytes:
    """Return a picture that went in. Raises :class:`ReplayRefused`."""
    try:
        return blobs.read(sha256)
    except (LostWork, ValueError):
        pass
    try:
        return masters.read(sha256)
    except FileNotFoundError:
        raise ReplayRefused("picture-missing", then=sha256) from None


def find_original(version: AssetVersion, recipe: Recipe) -> Original:
    """Return the raw picture that the version was finished from, as far as it is known."""
    sha256 = recipe.picture_sha256 or _raw_sha256(version, recipe)
    if not sha256:
        return Original("", None)
    try:
        return Original(sha256, blobs.read(sha256))
    except LostWork:
        return Original(sha256, None)


def _raw_sha256(version: AssetVersion, recipe: Recipe) -> str:
    candidate = getattr(version, "candidate", None)
    if candidate is None:
        return ""
    made = candidate.run.steps.filter(kind="generate", state=RunState.SUCCEEDED)
    for output in made.values_list("output", flat=True):
        if isinstance(output, dict) and output.get("seed") == recipe.seed:
            return str(output.get("sha256", ""))
    return ""
