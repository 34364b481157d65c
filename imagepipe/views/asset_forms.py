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
from django.views.decorators.http import require_POST
from wagtail.admin import messages
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin

from imagepipe.assets.actions import MarkDecorative, SetAltText
from imagepipe.assets.models import Asset, AssetVersion
from imagepipe.assets.staleness import described_version, outdated
from imagepipe.exceptions import ImagepipeError
from imagepipe.rights.actions import SetRights
from imagepipe.seo.alt_text import worklist
from imagepipe.views.access import may, open_asset, visible_assets
from imagepipe.views.alt_cards import advise, suggestions_for
from imagepipe.views.alt_text_form import ALT_PREFIX, AltTextForm
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
    template_name = "imagepipe/studio/alt_form.html"
    verb = "change"
    success_message = gettext_lazy("The alternative texts were saved.")

    def make_form(self, data: Any = None) -> AltTextForm:
        form = AltTextForm(
            self.asset.alt_texts(),
            data,
            outdated=outdated(self.asset, self._version()),
            generated=self.asset.generated_alt_texts(),
        )
        for name, field in form.fields.items():
            if name.startswith(ALT_PREFIX):  # the script shows advice beside them
                own = {"data-asset": str(self.asset.uid), "data-advice": f"advice-{name}"}
                field.widget.attrs.update(own)
        return form

    def save(self, asset: Asset, form: AltTextForm) -> None:
        SetAltText(
            asset, self.request.user, texts=form.texts, version=self._version()
        ).execute()
        for code, text in form.texts.items():
            for sentence in advise(asset, text, code):
                messages.warning(self.request, f"{code}: {sentence}")

    def _version(self) -> AssetVersion | None:
        """The one that is looked at: ``?version=``, else what is shown to visitors."""
        number = self.request.GET.get("version", "")
        if number.isdecimal() and len(number) < 10:
            if (version := self.asset.versions.filter(number=number).first()) is not None:
                return version
        return described_version(self.asset)

    def _show(self, form: forms.BaseForm) -> HttpResponse:
        version = self._version()
        suggestions = []
        if version is not None:
            for code in worklist.site_languages():
                shown, silence = suggestions_for(self.asset, code, version)
                if shown or silence:
                    suggestions.append((code, shown, silence, f"id_{ALT_PREFIX}{code}"))
        context = self.get_context_data(
            asset=self.asset, shown=version, form=form, media=form.media,
            suggestions=suggestions,
        )  # fmt: skip
        return self.render_to_response(context)


@require_POST
def mark_decorative(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    """Say that the picture needs no words anywhere, or that it does."""
    asset = open_asset(request.user, uid)
    decorative = request.POST.get("decorative") == "yes"
    MarkDecorative(asset, request.user, decorative=decorative).execute()
    messages.success(
        request,
        _("The picture is decorative now.")
        if decorative
        else _("The picture is not decorative any more: it needs an alternative text."),
    )
    return redirect("imagepipe_admin:asset", asset.uid)
