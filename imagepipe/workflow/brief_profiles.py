"""Generation profiles in a brief: what was not said is as the profile says."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from imagepipe.prompts.models import PromptTemplate
from imagepipe.prompts.profile_models import GenerationProfile
from imagepipe.registry.models import RegisteredModel
from imagepipe.workflow.exceptions import InvalidBrief
from imagepipe.workflow.model_choice import routed

if TYPE_CHECKING:
    from imagepipe.workflow.briefs import Brief

PARAMETERS = ("width", "height", "steps", "guidance", "seed_policy", "seed", "scheduler")


def find_profile(slug: str | None) -> GenerationProfile | None:
    """Return the published profile of that name. Raises ``InvalidBrief``."""
    if slug is None:
        return None
    found = GenerationProfile.objects.select_related("model").filter(slug=slug).first()
    if found is None or not found.live:
        raise InvalidBrief(
            _("The profile “%(profile)s” is not published. Choose another one.")
            % {"profile": found or slug[:80]},
            "profile",
        )
    return found


def with_profile(brief: Brief, profile: GenerationProfile | None) -> Brief:
    """Return the brief with the parameters of the profile where it says nothing itself.

    A size is taken as a whole, and not where a picture that is edited gives one; a seed goes
    with its policy.
    """
    if profile is None:
        return brief
    said = {name for name in PARAMETERS if getattr(brief, name) is not None}
    if said & {"width", "height"} or brief.edit:
        said |= {"width", "height"}
    if said & {"seed", "seed_policy"}:
        said |= {"seed", "seed_policy"}
    values = {name: getattr(profile, name) for name in PARAMETERS if name not in said}
    return dataclasses.replace(
        brief, **{name: value for name, value in values.items() if value not in (None, "")}
    )


def chosen_model(
    brief: Brief, template: PromptTemplate | None, model: RegisteredModel | None
) -> RegisteredModel | None:
    """The model of the form, of the profile, of the template, or of the purpose."""
    profile = find_profile(brief.profile)
    return (
        model
        or (profile.model if profile else None)
        or (template.model if template else None)
        or routed(brief.purpose)
    )
