"""Asking for pictures."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from wagtail.admin import messages
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin

from imagepipe.exceptions import ImagepipeError
from imagepipe.views.access import may
from imagepipe.views.asked_model import asked_model
from imagepipe.views.breadcrumbs import HOME, Crumbs, here
from imagepipe.views.expert_form import ExpertForm, limits_of
from imagepipe.views.generation_form import GenerateForm
from imagepipe.views.quotas import refusal
from imagepipe.views.recipe_import import imported_values
from imagepipe.views.suggestions import brief_values


class GenerateView(WagtailAdminTemplateMixin, View):
    """The form; a valid one queues a run and leads to its page."""

    page_title = gettext_lazy("Generate")
    header_icon = "imagepipe-studio"
    template_name = "imagepipe/studio/generate.html"

    def get_breadcrumbs_items(self) -> Crumbs:
        return [*HOME, *here(self.page_title)]

    def get(self, request: HttpRequest) -> HttpResponse:
        known = ("template", "guide", "kept", "start_from", "style")
        initial = {name: request.GET[name] for name in known if name in request.GET}
        if like := request.GET.get("like"):
            initial |= brief_values(request.user, like, request.GET.get("title", "")[:255])
        return self._show(
            ExpertForm(request.user, initial=initial | imported_values(request))
        )

    def post(self, request: HttpRequest) -> HttpResponse:
        form = ExpertForm(request.user, request.POST, request.FILES)
        if not form.is_valid():
            messages.validation_error(
                request, _("Nothing was started because of what is marked below."), form
            )
            return self._show(form)
        try:
            run = form.start()
        except ImagepipeError as error:  # what was right a moment ago is so no more
            form.add_error(None, refusal(error))
            return self._show(form)
        return redirect(reverse("imagepipe_admin:run", args=[run.uid]))

    def _show(self, form: ExpertForm) -> HttpResponse:
        return self.render_to_response(self.get_context_data(form=form, media=form.media))


@never_cache
@require_safe
def template_fields(request: HttpRequest) -> HttpResponse:
    """The part of the form that depends on the template, drawn anew for another one."""
    prefix = request.GET.get("prefix") or None
    initial = {"template": request.GET.get("template")}
    form = GenerateForm(request.user, initial=initial, prefix=prefix)
    return render(request, "imagepipe/studio/includes/subject_fields.html", {"form": form})


@never_cache
@require_safe
def model_limits(request: HttpRequest) -> JsonResponse:
    """What the chosen model, or that of the chosen template, cannot do, and why."""
    if not may(request.user, "generate"):
        raise PermissionDenied
    return JsonResponse(limits_of(asked_model(request.GET)))
