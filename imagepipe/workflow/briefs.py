"""From what an editor asks for to a plan that can be executed: prompt, model, sizes, seeds."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from imagepipe.conf import get_settings
from imagepipe.generation.backends.ground import NAME, SLUG
from imagepipe.generation.decoding import decode, encode
from imagepipe.generation.downgrades import nearest_size
from imagepipe.prompts import rendering
from imagepipe.prompts.exceptions import PromptError
from imagepipe.prompts.models import PromptTemplate
from imagepipe.registry.models import RegisteredModel
from imagepipe.workflow.abilities import fixed_sizes
from imagepipe.workflow.brief_profiles import chosen_model, find_profile, with_profile
from imagepipe.workflow.conditions import AdapterWish, ControlWish, weights_of
from imagepipe.workflow.edits import Edit
from imagepipe.workflow.exceptions import InvalidBrief
from imagepipe.workflow.model_choice import usable_model
from imagepipe.workflow.plan_additions import beyond_words
from imagepipe.workflow.production import MAX_CANDIDATES, Plan
from imagepipe.workflow.source_pictures import SourcePicture
from imagepipe.workflow.styles import StyleWish

MAX_SIDE = 8192
MAX_STEPS = 150
MAX_SEED = 2**53 - 1
"""So that a seed survives a trip through a browser."""
RANDOM_SEEDS = 2**32
NUMBERS = {
    "candidates": gettext_lazy("Candidates"),
    "width": gettext_lazy("Width in pixels"),
    "height": gettext_lazy("Height in pixels"),
    "steps": gettext_lazy("Steps"),
    "seed": gettext_lazy("Seed"),
}
"""Whole numbers of a brief, as the form calls them."""
GROUND = {"slug": SLUG, "location": "", "family": "", "sha256": "", "backend": NAME}
"""In the place of a model where none is asked."""


@dataclass(frozen=True)
class Brief:
    """What is asked for; None means: as the template, the model or the settings say.

    Either a template with ``variables``, or a ``prompt`` of its own. Sizes in pixels.
    """

    variables: Mapping[str, str] = field(default_factory=dict)
    prompt: str | None = None
    negative: str | None = None
    candidates: int | None = None
    width: int | None = None
    height: int | None = None
    steps: int | None = None
    guidance: float | None = None
    seed_policy: str | None = None
    seed: int | None = None
    scheduler: str | None = None
    edit: Edit | None = None
    """What is done to an existing picture; None: pictures are made from words alone."""
    controls: tuple[ControlWish, ...] = ()
    adapters: tuple[AdapterWish, ...] = ()
    style: StyleWish | None = None
    purpose: str | None = None
    """Names a model of ``IMAGEPIPE["ROUTES"]``; None: production."""
    profile: str | None = None
    """Slug of a generation profile."""

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values, to be kept with the run."""
        return vars(self) | {
            "variables": dict(self.variables),
            "edit": self.edit.to_dict() if self.edit else None,
            "controls": [encode(control) for control in self.controls],
            "adapters": [encode(adapter) for adapter in self.adapters],
            "style": encode(self.style) if self.style else None,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Brief:
        """Return the brief that a run was started with; other keys are passed over."""
        known = {name: data[name] for name in cls.__dataclass_fields__ if name in data}
        if known.get("edit"):
            known["edit"] = Edit.from_dict(known["edit"])
        for name, kind in (("controls", ControlWish), ("adapters", AdapterWish)):
            known[name] = tuple(decode(kind, wish) for wish in known.get(name) or ())
        if known.get("style"):
            known["style"] = decode(StyleWish, known["style"])
        return cls(**known)

    def pictures(self) -> tuple[SourcePicture, ...]:
        """Every existing picture that goes in: the one to start from comes first."""
        start = (self.edit.source,) if self.edit else ()
        style = (self.style.source,) if self.style else ()
        return (*start, *(control.source for control in self.controls), *style)

    def kept(self) -> list[str]:
        """Hashes of bytes that have to be kept for the run and for making it again."""
        mask = [self.edit.mask] if self.edit and self.edit.mask else []
        return sorted({*(picture.sha256 for picture in self.pictures()), *mask})


def make_plan(
    brief: Brief, *, title: str, template: PromptTemplate | None, model: RegisteredModel | None
) -> Plan:
    """Return the plan. Raises ``InvalidBrief`` or a ``PromptError`` with what to do."""
    model = usable_model(chosen_model(brief, template, model))
    profile = find_profile(brief.profile)
    brief = with_profile(brief, profile)
    prompt, negative, facts = _texts(brief, template)
    if profile is not None and brief.negative is None:
        negative = _excluded(negative, profile.negative)
    defaults = model.defaults if isinstance(model.defaults, dict) else {}
    edit, beyond = beyond_words(brief, model)
    if words := beyond.pop("style_words", ""):
        prompt = f"{prompt}, {rendering.tidy(words)}"
        rendering.check_length(prompt, max_length=get_settings().MAX_PROMPT_LENGTH)
    by_ground = edit is not None and edit.ground
    if by_ground:
        brief = replace(brief, candidates=1)  # more would all be the same
    width, height = _size(brief, template, edit)
    native = native_size(width, height, model)
    return Plan(
        title=title,
        prompt=prompt,
        negative=negative,
        model=GROUND if by_ground else weights_of(model) | {"backend": model.backend},
        seeds=make_seeds(brief, template, len(edit.frames) if edit and edit.frames else 1),
        width=width,
        height=height,
        native_width=native[0],
        native_height=native[1],
        steps=_whole(
            "steps",
            _first(brief.steps, template and template.steps, defaults.get("steps"), 25),
            1,
            MAX_STEPS,
        ),
        guidance=_guidance(
            _first(
                brief.guidance, template and template.guidance, defaults.get("guidance"), 4.0
            )
        ),
        guidance_rescale=float(defaults.get("guidance_rescale", 0)),
        scheduler=None if by_ground else brief.scheduler or defaults.get("scheduler"),
        template=facts,
        attempts=get_settings().PICTURE_ATTEMPTS,
        **beyond,
    )


def _size(
    brief: Brief, template: PromptTemplate | None, edit: Edit | None
) -> tuple[int, int]:
    """Width and height of the master; the canvases of an edit have sizes of their own."""
    if edit and edit.canvases_have_size:
        frame = edit.frames[0] if edit.frames else edit.source
        return frame.width, frame.height
    start = edit.size if edit else (None, None)
    across = _first(brief.width, start[0], template and template.width, 512)
    down = _first(brief.height, start[1], template and template.height, 512)
    width, height = _whole("width", across, 16, MAX_SIDE), _whole("height", down, 16, MAX_SIDE)
    if width * height > get_settings().MAX_PIXELS:
        raise InvalidBrief(_("The picture is too large. Choose a smaller size."), "width")
    return width, height


def native_size(width: int, height: int, model: RegisteredModel) -> tuple[int, int]:
    """Return the size to ask the model for: the wanted shape in the area it was made for.

    Sides are multiples of 64 for models of 512 pixels and more, else of 8. Of an engine that
    makes a few sizes only, it is the one of the nearest shape.
    """
    if sizes := fixed_sizes(model):
        return nearest_size(width, height, sizes)
    side = min(model.native_width, model.native_height)
    multiple = 64 if side >= 512 else 8
    area = model.native_width * model.native_height
    factor = (area / (width * height)) ** 0.5
    return (
        max(multiple, round(width * factor / multiple) * multiple),
        max(multiple, round(height * factor / multiple) * multiple),
    )


def make_seeds(
    brief: Brief, template: PromptTemplate | None, frames: int = 1
) -> tuple[int, ...]:
    """Return one seed per candidate; equal seeds would make equal pictures.

    Of several frames each is one candidate.

    ``random``: new ones. ``fixed``: the given one, and others derived from it. ``series``:
    the given one and its successors.
    """
    policies = PromptTemplate.SeedPolicy
    wanted = _first(brief.candidates, get_settings().CANDIDATES) if frames == 1 else frames
    count = _whole("candidates", wanted, 1, MAX_CANDIDATES)
    policy = _first(brief.seed_policy, template and template.seed_policy, policies.RANDOM)
    if policy not in policies.values:
        raise InvalidBrief(_("This seed policy is unknown."), "seed_policy")
    if policy == policies.RANDOM and brief.seed is None:
        return tuple(secrets.randbelow(RANDOM_SEEDS) for _i in range(count))
    start = _whole(
        "seed", _first(brief.seed, template and template.seed, 0), 0, MAX_SEED - count
    )
    if policy == policies.SERIES:
        return tuple(start + index for index in range(count))
    return tuple(start if index == 0 else _derive(start, index) for index in range(count))


def _derive(seed: int, index: int) -> int:
    digest = hashlib.sha256(f"{seed}/{index}".encode()).digest()
    return int.from_bytes(digest[:4], "big")


def _texts(
    brief: Brief, template: PromptTemplate | None
) -> tuple[str, str, dict[str, Any] | None]:
    limit = get_settings().MAX_PROMPT_LENGTH
    if brief.prompt is not None or template is None:
        prompt = rendering.tidy(_text("prompt", brief.prompt or ""))
        negative = rendering.tidy(_text("negative", brief.negative or ""))
        rendering.check_length(prompt, negative, max_length=limit)
        return prompt, negative, None
    if not template.live:
        raise InvalidBrief(
            _("The template “%(template)s” is not published. Choose another one.")
            % {"template": template},
            "template",
        )
    rendered = rendering.render(template, brief.variables, max_length=limit)
    negative = rendered.negative
    if brief.negative is not None:
        negative = rendering.tidy(_text("negative", brief.negative))
        rendering.check_length(rendered.prompt, negative, max_length=limit)
    facts = {
        "slug": template.slug,
        "version": rendering.fingerprint(template),
        "variables": dict(rendered.variables),
    }
    return rendered.prompt, negative, facts


def _excluded(*texts: str) -> str:
    """What is excluded by several, one after the other."""
    tidied = (rendering.tidy(text).strip(", ") for text in texts)
    joined = ", ".join(text for text in tidied if text)
    rendering.check_length("-", joined, max_length=get_settings().MAX_PROMPT_LENGTH)
    return joined


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str) or any("\ud800" <= c <= "\udfff" for c in value):
        if name == "negative":
            raise PromptError(_("The negative prompt must be text."))
        raise PromptError(_("The prompt must be text."))
    return value


def _first(*values: Any) -> Any:
    return next((value for value in values if value is not None), None)


def _whole(name: str, value: Any, lowest: int, highest: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not lowest <= value <= highest:
        raise InvalidBrief(
            _("“%(name)s” must be a whole number from %(lowest)d to %(highest)d.")
            % {"name": NUMBERS[name], "lowest": lowest, "highest": highest},
            name,
        )
    return value


def _guidance(value: Any) -> float:
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 <= value <= 100:
        raise InvalidBrief(_("“Guidance” must be a number from 0 to 100."), "guidance")
    return float(value)
