"""The page of a picture: everything that is known about it, and what can be done next."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views import View
from wagtail.admin.admin_url_finder import AdminURLFinder
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin

from imagepipe.assets.models import Asset, AssetVersion
from imagepipe.assets.staleness import outdated
from imagepipe.delivery.documents import rights_of
from imagepipe.delivery.models import Publication
from imagepipe.review.models import Review
from imagepipe.views.access import may, open_asset, verbs_on
from imagepipe.views.asset_usage import usage_of
from imagepipe.views.audit_trail import audit_rows
from imagepipe.views.breadcrumbs import Crumbs, assets_crumbs, here
from imagepipe.views.checklist import checklist
from imagepipe.views.crop_details import CropReport
from imagepipe.views.iiif import information_url
from imagepipe.views.provenance import provenance_of
from imagepipe.views.recipes import downloads, recipe_rows
from imagepipe.views.replays import latest_replay, report_of
from imagepipe.views.versions import version_rows


class AssetView(WagtailAdminTemplateMixin, View):
    """Shows one version at a time: ``?version=``, else the published, else the latest."""

    header_icon = "image"
    template_name = "imagepipe/studio/asset.html"

    def get(self, request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
        self.asset = open_asset(request.user, uid)
        return self.render_to_response(self.get_context_data())

    def get_page_title(self) -> str:
        return self.asset.title

    def get_breadcrumbs_items(self) -> Crumbs:
        return [*assets_crumbs(), *here(self.asset.title)]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        asset, user = self.asset, self.request.user
        verbs = verbs_on(user, asset)
        versions = version_rows(asset, user, verbs)
        shown = self._shown([row.version for row in versions])
        steps = checklist(asset, verbs)
        replay_run = latest_replay(shown, user)
        return super().get_context_data(
            asset=asset,
            verbs=verbs,
            may_edit=may(user, "generate") and not asset.withdrawn_at,
            versions=versions,
            shown=shown,
            reasons=Review.Reason.choices,
            checklist=steps,
            is_ready=all(step.done for step in steps),
            publication=Publication.objects.filter(asset=asset).first(),
            rights=rights_of(asset),
            alt_texts=sorted(asset.alt_texts().items()),
            outdated=outdated(asset, shown),
            generated=asset.generated_alt_texts(),
            recipe=recipe_rows(shown.recipe) if shown else [],
            downloads=downloads(shown),
            replay_url=_replay_url(shown) if verbs["generate"] else "",
            replay_run=replay_run,
            replay=report_of(replay_run) if replay_run else None,
            provenance=provenance_of(shown) if shown else None,
            crops=CropReport(shown).states if shown else [],
            iiif_url=information_url(asset),
            usage=usage_of(asset, user),
            image_url=_image_url(asset, user),
            audit=audit_rows(asset),
            **kwargs,
        )

    def _shown(self, versions: list[AssetVersion]) -> AssetVersion | None:
        by_number = {version.number: version for version in versions}
        if wanted := self.request.GET.get("version"):
            for number, version in by_number.items():
                if wanted == str(number):
                    return version
            raise Http404
        published = self.asset.published_version
        if published is not None:
            return by_number[published.number]
        return by_number[max(by_number)] if by_number else None


def _replay_url(version: AssetVersion | None) -> str:
    if version is None or version.recipe is None:
        return ""
    return reverse("imagepipe_admin:replay", args=[version.asset.uid, version.number])


def _image_url(asset: Asset, user: Any) -> str | None:
    """Where the Wagtail image is edited, for those who may."""
    return AdminURLFinder(user).get_edit_url(asset.image) if asset.image else None
