"""Asking for pictures."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
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
from imagepipe.views.breadcrumbs import HOME, Crumbs, here
from imagepipe.views.generation_form import GenerateForm
from imagepipe.views.recipe_import import imported_values


class GenerateView(WagtailAdminTemplateMixin, View):
    """The form; a valid one queues a run and leads to its page."""

    page_title = gettext_lazy("Generate")
    header_icon = "imagepipe-studio"
    template_name = "imagepipe/studio/generate.html"

    def get_breadcrumbs_items(self) -> Crumbs:
        return [*HOME, *here(self.page_title)]

    def get(self, request: HttpRequest) -> HttpResponse:
        initial = {name: request.GET[name] for name in ("template",) if name in request.GET}
        return self._show(
            GenerateForm(request.user, initial=initial | imported_values(request))
        )

    def post(self, request: HttpRequest) -> HttpResponse:
        form = GenerateForm(request.user, request.POST)
        if not form.is_valid():
            messages.validation_error(
                request, _("Nothing was started because of what is marked below."), form
            )
            return self._show(form)
        try:
            run = form.start()
        except ImagepipeError as error:  # what was right a moment ago is so no more
            form.add_error(None, str(error))
            return self._show(form)
        return redirect(reverse("imagepipe_admin:run", args=[run.uid]))

    def _show(self, form: GenerateForm) -> HttpResponse:
        return self.render_to_response(self.get_context_data(form=form, media=form.media))


@never_cache
@require_safe
def template_fields(request: HttpRequest) -> HttpResponse:
    """The part of the form that depends on the template, drawn anew for another one."""
    prefix = request.GET.get("prefix") or None
    initial = {"template": request.GET.get("template")}
    form = GenerateForm(request.user, initial=initial, prefix=prefix)
    return render(request, "imagepipe/studio/includes/subject_fields.html", {"form": form})
