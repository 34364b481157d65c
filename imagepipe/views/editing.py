"""The pages that change an existing picture; a valid form queues a run."""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views import View
from wagtail.admin import messages
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin

from imagepipe.exceptions import ImagepipeError
from imagepipe.views.breadcrumbs import Crumbs, here
from imagepipe.views.edit_forms import EditForm
from imagepipe.views.edited_picture import open_edited
from imagepipe.views.extend_form import ExtendForm
from imagepipe.views.refine_form import RefineForm


class EditView(WagtailAdminTemplateMixin, View):
    """Of a candidate (``uid``) or of a version of an asset (``uid``, ``number``)."""

    header_icon = "imagepipe-studio"
    form_class: ClassVar[type[EditForm]]
    title: ClassVar[Promise]

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        self.picture = open_edited(request.user, kwargs["uid"], kwargs.get("number"))

    def get_page_title(self) -> str:
        return str(self.title)

    def get_page_subtitle(self) -> str:
        return self.picture.title

    def get_breadcrumbs_items(self) -> Crumbs:
        return [*self.picture.crumbs, *here(self.title)]

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        return self._show(self.form_class(request.user, self.picture))

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        form = self.form_class(request.user, self.picture, request.POST)
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

    def _show(self, form: EditForm) -> HttpResponse:
        context = self.get_context_data(form=form, media=form.media, picture=self.picture)
        return self.render_to_response(context)


class RefineView(EditView):
    form_class = RefineForm
    title = gettext_lazy("Fix this region")
    template_name = "imagepipe/studio/refine.html"


class ExtendView(EditView):
    form_class = ExtendForm
    title = gettext_lazy("Extend to other shapes")
    template_name = "imagepipe/studio/extend.html"

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        form = ExtendForm(request.user, self.picture)
        form.ask_for(request.GET.get("shape", ""))
        return self._show(form)
