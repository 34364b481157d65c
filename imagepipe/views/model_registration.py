"""The page that registers a model."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views import View
from wagtail.admin import messages
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin

from imagepipe.conf import get_settings
from imagepipe.exceptions import ImagepipeError
from imagepipe.registry import places
from imagepipe.views.access import visible_runs
from imagepipe.views.breadcrumbs import HOME, Crumbs, here
from imagepipe.views.model_form import ModelForm
from imagepipe.workflow.steps.register_model import PERMISSION

LISTING = "imagepipe_admin:models"


class RegisterModelView(WagtailAdminTemplateMixin, View):
    """Asks for the place and terms of a model; a worker reads the files."""

    header_icon = "cogs"
    page_title = gettext_lazy("Register a model")
    template_name = "imagepipe/studio/model_register.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.has_perm(PERMISSION):
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)

    def get_breadcrumbs_items(self) -> Crumbs:
        listing = {"url": reverse(LISTING), "label": _("Models")}
        return [*HOME, listing, *here(str(self.page_title))]

    def get(self, request: HttpRequest) -> HttpResponse:
        return self._show(ModelForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        form = ModelForm(request.POST)
        if form.is_valid():
            try:
                run = form.execute(request.user)
            except ImagepipeError as error:
                form.add_error(None, str(error))
            else:
                if visible_runs(request.user).filter(pk=run.pk).exists():
                    return redirect("imagepipe_admin:run", run.uid)
                messages.success(request, _("A worker registers the model; look here again."))
                return redirect(LISTING)
        return self._show(form, status=422)

    def _show(self, form: ModelForm, status: int = 200) -> HttpResponse:
        settings = get_settings()
        context = self.get_context_data(
            form=form,
            possible=places.any_place(),
            folders=[str(folder) for folder in settings.MODEL_FOLDERS],
            ids=list(settings.HUB_MODELS),
        )
        return self.render_to_response(context, status=status)
