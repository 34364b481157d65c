"""The library of styles: what it holds, and taking a picture in."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views import View
from django.views.decorators.http import require_POST
from wagtail.admin import messages
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin

from imagepipe.exceptions import ImagepipeError
from imagepipe.views.access import MAKING, may, may_any, open_asset, visible_assets
from imagepipe.views.breadcrumbs import HOME, Crumbs, asset_crumbs, here
from imagepipe.workflow.style_actions import AddStyle, RetireStyle
from imagepipe.workflow.style_models import Style
from imagepipe.workflow.styles import refusal


@dataclass(frozen=True)
class StyleRow:
    """``reason``: why it cannot be used now; empty where it can."""

    style: Style
    reason: str
    may_change: bool


class StylesView(WagtailAdminTemplateMixin, View):
    """All styles whose pictures the person may see, also those that cannot be used now."""

    page_title = gettext_lazy("Styles")
    header_icon = "image"
    template_name = "imagepipe/studio/styles.html"

    def get_breadcrumbs_items(self) -> Crumbs:
        return [*HOME, *here(self.page_title)]

    def get(self, request: HttpRequest) -> HttpResponse:
        if not may_any(request.user, MAKING):
            raise PermissionDenied
        styles = Style.objects.filter(
            retired_at=None, version__asset__in=visible_assets(request.user)
        )
        rows = [
            StyleRow(
                style,
                refusal(style.version),
                may(request.user, "change", style.version.asset),
            )
            for style in styles.select_related("version__asset__collection")
        ]
        may_generate = may(request.user, "generate")
        return self.render_to_response(
            self.get_context_data(rows=rows, may_generate=may_generate)
        )


class StyleForm(forms.Form):
    name = forms.CharField(label=gettext_lazy("Name"), max_length=80)
    words = forms.CharField(
        label=gettext_lazy("In words"),
        max_length=300,
        required=False,
        help_text=gettext_lazy(
            "Said to models that cannot follow pictures, for example: soft watercolour."
        ),
    )
    weight = forms.IntegerField(
        label=gettext_lazy("How strongly it is followed, in per cent"),
        min_value=1,
        max_value=100,
        initial=60,
    )


class AddStyleView(WagtailAdminTemplateMixin, View):
    """The form; for a picture that may not be a style it says why."""

    page_title = gettext_lazy("Make it a style")
    header_icon = "image"
    template_name = "imagepipe/studio/style_add.html"

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        self.asset = open_asset(request.user, kwargs["uid"])
        if not may(request.user, "change", self.asset):
            raise PermissionDenied
        self.version = get_object_or_404(
            self.asset.versions.select_related("asset"), number=kwargs["number"]
        )

    def get_breadcrumbs_items(self) -> Crumbs:
        return [*asset_crumbs(self.asset), *here(self.page_title)]

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        return self._show(StyleForm(initial={"name": self.asset.title[:80]}))

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        form = StyleForm(request.POST)
        if not form.is_valid():
            return self._show(form)
        values = form.cleaned_data
        try:
            style = AddStyle(
                self.version,
                request.user,
                name=values["name"],
                words=values["words"],
                weight=values["weight"] / 100,
            ).execute()
        except ImagepipeError as error:
            form.add_error(None, str(error))
            return self._show(form)
        messages.success(
            request, _("“%(style)s” can be chosen as a style now.") % {"style": style}
        )
        return redirect(reverse("imagepipe_admin:styles"))

    def _show(self, form: StyleForm) -> HttpResponse:
        rights = reverse("imagepipe_admin:asset_rights", args=[self.asset.uid])
        return self.render_to_response(
            self.get_context_data(
                form=form,
                media=form.media,
                asset=self.asset,
                number=self.version.number,
                reason=refusal(self.version),
                rights_url=rights if may(self.request.user, "license", self.asset) else "",
            )
        )


@require_POST
def retire_style(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    visible = Style.objects.filter(version__asset__in=visible_assets(request.user))
    style = get_object_or_404(visible.select_related("version__asset"), uid=uid)
    try:
        RetireStyle(style, request.user).execute()
    except ImagepipeError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("“%(style)s” is offered no more.") % {"style": style})
    return redirect(reverse("imagepipe_admin:styles"))
