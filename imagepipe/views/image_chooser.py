"""Wagtail's image chooser with a third tab: Generate."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from wagtail.images.views.chooser import (
    ImageChooserViewSet,
    ImageChooseView,
    ImageChosenView,
)

from imagepipe.delivery.profiles import InvalidProfile, UnknownProfile, get_profile
from imagepipe.prompts.models import PromptTemplate
from imagepipe.views.access import may, visible_candidates
from imagepipe.views.expert_form import ExpertForm
from imagepipe.workflow.models import Candidate
from imagepipe.workflow.origins import candidate_of

PREFIX = "imagepipe-generate"
"""Of the form's fields: the page that is being edited has a title, too."""


class GeneratingChooseView(ImageChooseView):
    """The whole modal; Search and Upload are Wagtail's own."""

    template_name = "imagepipe/chooser/chooser.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        if may(self.request.user, "generate"):
            context["generate"] = {
                "form": generate_form(self.request),
                "vary": self._varied(),
                "chosen_url": self._chosen_url(),
                "is_active": bool(self.request.GET.get("generate")),
            }
        return context

    def _varied(self) -> Candidate | None:
        """The candidate that the person wants more of, if they may have more."""
        try:
            uid = uuid.UUID(self.request.GET.get("vary", ""))
        except ValueError:
            return None
        candidate = visible_candidates(self.request.user).filter(uid=uid).first()
        wanted = candidate and may(self.request.user, "generate", candidate.run)
        return candidate if wanted else None

    def _chosen_url(self) -> str:
        """Where Wagtail answers for the image 0, which the script replaces."""
        in_text = self.request.GET.get("select_format")
        name = "wagtailimages_chooser:" + ("select_format" if in_text else "chosen")
        return self.append_preserved_url_parameters(reverse(name, args=[0]))


class OriginInResponse:
    """Tells the widget whether the chosen image can be varied."""

    def get_chosen_response_data(self, image: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        data: dict[str, Any] = super().get_chosen_response_data(image, *args, **kwargs)
        return {**data, "candidate": candidate_of(image)}


class OriginChosenView(OriginInResponse, ImageChosenView):
    pass


def generate_form(request: HttpRequest, data: Any = None, files: Any = None) -> ExpertForm:
    """The form with the template of the profile that the field or block names.

    It is that of the Generate page, without a chooser inside the chooser.
    """
    try:
        slug = get_profile(request.GET.get("profile", "")).template
    except (UnknownProfile, InvalidProfile):
        slug = ""
    template = PromptTemplate.objects.filter(slug=slug, live=True).first() if slug else None
    initial = {"template": template.pk} if template else {}
    return ExpertForm(
        request.user, data, files, initial=initial, prefix=PREFIX, with_library=False
    )


def add_generate_tab(viewset: ImageChooserViewSet) -> None:
    """Teach Wagtail's chooser the tab, for every field, block and text that uses it."""
    viewset.choose_view_class = GeneratingChooseView
    viewset.chosen_view_class = OriginChosenView
