"""The pages on which rights and alternative texts of a picture are written."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views import View
from wagtail.admin import messages
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin

from imagepipe.assets.actions import SetAltText
from imagepipe.assets.models import Asset
from imagepipe.assets.staleness import outdated
from imagepipe.exceptions import ImagepipeError
from imagepipe.rights.actions import SetRights
from imagepipe.seo.alt_advice import advice, duplicates
from imagepipe.views.access import may, open_asset, visible_assets
from imagepipe.views.alt_text_form import AltTextForm
from imagepipe.views.breadcrumbs import Crumbs, asset_crumbs, here
from imagepipe.views.rights_form import RightsForm


class _AssetFormView(WagtailAdminTemplateMixin, View):
    """A form beside the picture; saved by an action."""

    header_icon = "image"
    template_name = "imagepipe/studio/asset_form.html"
    verb: str
    success_message: Any

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        self.asset = open_asset(request.user, kwargs["uid"])

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not may(request.user, self.verb, self.asset):
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)

    def make_form(self, data: Any = None) -> Any:
        raise NotImplementedError

    def save(self, asset: Asset, form: Any) -> None:
        raise NotImplementedError

    def get_page_subtitle(self) -> str:
        return self.asset.title

    def get_breadcrumbs_items(self) -> Crumbs:
        return [*asset_crumbs(self.asset), *here(self.page_title)]

    def get(self, request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
        return self._show(self.make_form())

    def post(self, request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
        form = self.make_form(request.POST)
        if form.is_valid():
            try:
                self.save(self.asset, form)
            except ImagepipeError as error:
                form.add_error(None, str(error))
            else:
                messages.success(request, self.success_message)
                return redirect("imagepipe_admin:asset", self.asset.uid)
        messages.validation_error(request, _("Nothing was saved."), form)
        return self._show(form)

    def _show(self, form: forms.BaseForm) -> HttpResponse:
        shown = self.asset.published_version or self.asset.latest_version()
        context = self.get_context_data(
            asset=self.asset, shown=shown, form=form, media=form.media
        )
        return self.render_to_response(context)


class RightsView(_AssetFormView):
    page_title = gettext_lazy("Rights")
    verb = "license"
    success_message = gettext_lazy("The rights were saved.")

    def make_form(self, data: Any = None) -> RightsForm:
        choices = visible_assets(self.request.user).filter(published_version__isnull=False)
        return RightsForm(self.asset, choices, data)

    def save(self, asset: Asset, form: RightsForm) -> None:
        SetRights(asset, self.request.user, values=form.values).execute()


class AltTextView(_AssetFormView):
    page_title = gettext_lazy("Alternative texts")
    verb = "change"
    success_message = gettext_lazy("The alternative texts were saved.")

    def make_form(self, data: Any = None) -> AltTextForm:
        return AltTextForm(self.asset.alt_texts(), data, outdated=outdated(self.asset))

    def save(self, asset: Asset, form: AltTextForm) -> None:
        SetAltText(asset, self.request.user, texts=form.texts).execute()
        for code, text in form.texts.items():
            for sentence in self._advice(code, text):
                messages.warning(self.request, f"{code}: {sentence}")

    def _advice(self, code: str, text: str) -> list[str]:
        found = list(advice(text, code).values())
        if duplicates(self.asset, text, code).exists():
            found.append(_("Another picture has the same words. What makes them different?"))
        return found
