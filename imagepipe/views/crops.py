"""The page on which people correct the crops of a picture, and where earlier ones come back."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views import View
from django.views.decorators.http import require_POST, require_safe
from wagtail.admin import messages
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin

from imagepipe.assets.models import AssetVersion
from imagepipe.delivery.crop_actions import RemoveCrop, RestoreCrop, SetCrop
from imagepipe.delivery.crop_models import NamedCrop
from imagepipe.delivery.presets import get_preset, preset_names
from imagepipe.exceptions import ImagepipeError
from imagepipe.urlspec import UrlspecError
from imagepipe.urlspec.transform import Region
from imagepipe.views.access import may, open_asset, visible_assets
from imagepipe.views.breadcrumbs import Crumbs, asset_crumbs, here
from imagepipe.views.crop_details import CropReport, CropState, extend_url

EARLIER = 10
WIDTHS = {
    "phone": gettext_lazy("Telephone"),
    "tablet": gettext_lazy("Tablet"),
    "desktop": gettext_lazy("Desktop"),
}


class CropForm(forms.Form):
    """Four percentages of the picture."""

    left = forms.FloatField(label=gettext_lazy("Left (%)"), min_value=0, max_value=100)
    top = forms.FloatField(label=gettext_lazy("Top (%)"), min_value=0, max_value=100)
    width = forms.FloatField(label=gettext_lazy("Width (%)"), min_value=1, max_value=100)
    height = forms.FloatField(label=gettext_lazy("Height (%)"), min_value=1, max_value=100)

    @property
    def region(self) -> Region:
        left, top, width, height = (
            round(self.cleaned_data[name] * 100) for name in ("left", "top", "width", "height")
        )
        return left, top, min(width, 10_000 - left), min(height, 10_000 - top)


class CropView(WagtailAdminTemplateMixin, View):
    """One crop of one version. Who may not change it sees it."""

    header_icon = "crosshairs"
    page_title = gettext_lazy("Crop")
    template_name = "imagepipe/studio/crop.html"

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        self.asset = open_asset(request.user, kwargs["uid"])
        self.version = get_object_or_404(self.asset.versions, number=kwargs["number"])
        self.version.asset = self.asset
        self.report = CropReport(self.version, looks=True)
        state = self.report.state(kwargs["name"])
        if state is None:
            raise Http404
        self.state: CropState = state

    def get_page_title(self) -> str:
        return _("Crop: %(name)s") % {"name": self.state.shape.label}

    def get_page_subtitle(self) -> str:
        return self.asset.title

    def get_breadcrumbs_items(self) -> Crumbs:
        return [*asset_crumbs(self.asset), *here(self.get_page_title())]

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        return self._show(CropForm(initial=self._initial()))

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        if not may(request.user, "change", self.asset):
            raise PermissionDenied
        form = CropForm(request.POST)
        if form.is_valid():
            shape = self.state.shape
            action = SetCrop(self.version, request.user, name=shape.name, region=form.region)
            try:
                crop = action.execute()
            except ImagepipeError as error:
                form.add_error(None, str(error))
            else:
                messages.success(request, _("The crop was saved."))
                for sentence in self.report.warnings(shape, crop.region):
                    messages.warning(request, sentence)
                return _back(crop.version, shape.name)
        messages.validation_error(request, _("Nothing was saved."), form)
        return self._show(form)

    def _initial(self) -> dict[str, float]:
        names = ("left", "top", "width", "height")
        start = self.state.stale if self.request.GET.get("take") else None
        region = (start or self.state).region
        return {name: part / 100 for name, part in zip(names, region, strict=True)}

    def _show(self, form: CropForm) -> HttpResponse:
        name = self.state.shape.name
        earlier = self.version.crops.filter(name=name).exclude(replaced_at=None)
        context = self.get_context_data(
            asset=self.asset,
            version=self.version,
            state=self.state,
            states=self.report.states,
            form=form,
            may_change=may(self.request.user, "change", self.asset),
            details=self.report.details(self.request.user),
            picture_url=reverse(
                "imagepipe_admin:version_picture", args=[self.asset.uid, self.version.number]
            ),
            presets=_presets_with(name),
            widths=WIDTHS,
            earlier=earlier.select_related("created_by").order_by("-pk")[:EARLIER],
            extend_url=extend_url(self.version, self.request.user, self.state.shape),
        )
        return self.render_to_response(context)


@require_POST
def remove_crop(request: HttpRequest, uid: uuid.UUID, number: int, name: str) -> HttpResponse:
    version = _version(request, uid, number)
    try:
        RemoveCrop(version, request.user, name=name).execute()
    except ImagepipeError as error:
        messages.error(request, str(error))
    else:
        messages.success(
            request, _("The crop was removed. It stands under “Earlier crops”, to be restored.")
        )
    return _back(version, name)


@require_POST
def restore_crop(
    request: HttpRequest, uid: uuid.UUID, number: int, name: str, pk: int
) -> HttpResponse:
    version = _version(request, uid, number)
    crop = get_object_or_404(NamedCrop, version=version, name=name, pk=pk)
    try:
        RestoreCrop(crop, request.user).execute()
    except ImagepipeError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("The earlier crop is in use again."))
    return _back(version, name)


@require_safe
def image_crops(request: HttpRequest, image_id: str) -> HttpResponse:
    """What the form of a page is told of the image chosen there, as JSON."""
    assets = visible_assets(request.user).select_related("published_version")
    try:
        asset = get_object_or_404(assets, image_id=image_id)
    except (ValueError, OverflowError) as error:
        raise Http404 from error
    version = asset.published_version or asset.latest_version()
    if version is None:
        raise Http404
    version.asset = asset
    return JsonResponse(CropReport(version, looks=True).details(request.user))


def _version(request: HttpRequest, uid: uuid.UUID, number: int) -> AssetVersion:
    asset = open_asset(request.user, uid)
    version: AssetVersion = get_object_or_404(asset.versions, number=number)
    version.asset = asset
    return version


def _back(version: AssetVersion, name: str) -> HttpResponse:
    return redirect("imagepipe_admin:crop", version.asset.uid, version.number, name)


def _presets_with(name: str) -> list[str]:
    """The presets that show this crop."""
    found = []
    for preset in preset_names():
        try:
            if get_preset(preset).crop == name:
                found.append(preset)
        except (UrlspecError, TypeError):
            continue  # told as a system check
    return found
