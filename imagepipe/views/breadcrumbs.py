"""Where in the Studio a page is."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin

from imagepipe.assets.models import Asset
from imagepipe.workflow.models import Run

Crumbs = list[dict[str, Any]]
HOME: Crumbs = list(WagtailAdminTemplateMixin.breadcrumbs_items)


def here(label: Any) -> Crumbs:
    return [{"url": "", "label": label}]


def runs_crumbs() -> Crumbs:
    return [*HOME, {"url": reverse("imagepipe_admin:runs"), "label": _("Runs")}]


def run_crumbs(run: Run) -> Crumbs:
    url = reverse("imagepipe_admin:run", args=[run.uid])
    return [*runs_crumbs(), {"url": url, "label": run.title}]


def assets_crumbs() -> Crumbs:
    return [*HOME, {"url": reverse("imagepipe_admin:assets"), "label": _("Pictures")}]


def asset_crumbs(asset: Asset) -> Crumbs:
    url = reverse("imagepipe_admin:asset", args=[asset.uid])
    return [*assets_crumbs(), {"url": url, "label": asset.title}]
