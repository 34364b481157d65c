"""What imagepipe adds to Wagtail's admin: wiring only."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Permission
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import URLPattern, URLResolver, include, path, reverse
from django.utils.translation import gettext_lazy as _
from wagtail import hooks
from wagtail.admin.admin_url_finder import register_admin_url_finder
from wagtail.admin.menu import Menu, MenuItem, SubmenuMenuItem
from wagtail.images.views.chooser import viewset as image_chooser
from wagtail.models import Collection
from wagtail.snippets.models import register_snippet

from imagepipe import admin_urls
from imagepipe.assets.models import Asset
from imagepipe.views.access import MAKING
from imagepipe.views.asset_finder import AssetURLFinder, collection_contents
from imagepipe.views.engines import EnginesMenuItem
from imagepipe.views.generation_profiles import GenerationProfileViewSet
from imagepipe.views.group_permissions import GroupAssetPermissionFormSet
from imagepipe.views.image_chooser import add_generate_tab
from imagepipe.views.notice_settings import NoticeSettingsPanel
from imagepipe.views.notices import RunsPanel
from imagepipe.views.permitted import PermittedMenuItem
from imagepipe.views.prompt_templates import MENU_HOOK, PromptTemplateViewSet
from imagepipe.views.quota_requests import QuotaRequestsMenuItem

register_snippet(PromptTemplateViewSet)
register_snippet(GenerationProfileViewSet)
register_admin_url_finder(Asset, AssetURLFinder)
add_generate_tab(image_chooser)

ENTRIES = (
    ("generate", _("Generate"), "plus", ("generate",)),
    ("runs", _("Runs"), "history", MAKING),
    ("assets", _("Pictures"), "image", None),
    ("review", _("To review"), "view", ("review",)),
    ("alt_texts", _("Alternative texts"), "openquote", ("change",)),
    ("models", _("Models"), "cogs", ("generate", "review")),
)


@hooks.register("register_admin_urls")
def register_admin_urls() -> list[URLPattern | URLResolver]:
    return [path("imagepipe/", include(admin_urls, namespace="imagepipe_admin"))]


@hooks.register("register_icons")
def register_icons(icons: list[str]) -> list[str]:
    folder = "imagepipe/studio/icons"
    return [*icons, f"{folder}/imagepipe-star.svg", f"{folder}/imagepipe-studio.svg"]


@hooks.register("register_admin_menu_item")
def register_studio() -> MenuItem:
    menu = Menu(register_hook_name=MENU_HOOK)
    return SubmenuMenuItem(
        _("Studio"), menu, name="imagepipe-studio", icon_name="imagepipe-studio", order=250
    )


def _register_entry(order: int, name: str, label: Any, icon: str, verbs: Any) -> None:
    @hooks.register(MENU_HOOK)
    def entry() -> MenuItem:
        return PermittedMenuItem(
            label,
            reverse(f"imagepipe_admin:{name}"),
            name=f"imagepipe-{name}",
            icon_name=icon,
            order=order,
            **({"verbs": verbs} if verbs else {}),
        )


for _position, _entry in enumerate(ENTRIES, start=1):
    _register_entry(_position * 100, *_entry)
_register_entry(420, "styles", _("Styles"), "image", MAKING)
_register_entry(250, "queue", _("Queue"), "list-ol", MAKING)
_register_entry(540, "routes", _("Routes"), "redirect", ("generate", "review"))
_register_entry(270, "history", _("History"), "time", MAKING)


@hooks.register(MENU_HOOK)
def register_quota_requests() -> MenuItem:
    return QuotaRequestsMenuItem(
        _("Requests for more"),
        reverse("imagepipe_admin:quota_requests"),
        name="imagepipe-quota-requests",
        icon_name="tasks",
        order=260,
    )


@hooks.register(MENU_HOOK)
def register_quotas() -> MenuItem:
    return QuotaRequestsMenuItem(
        _("Quotas"),
        reverse("imagepipe_admin:quotas"),
        name="imagepipe-quotas",
        icon_name="tasks",
        order=265,
    )


@hooks.register("register_account_settings_panel")
def register_notice_settings(request: HttpRequest, user: Any, profile: Any) -> Any:
    return NoticeSettingsPanel(request, user, profile)


@hooks.register(MENU_HOOK)
def register_engines() -> MenuItem:
    return EnginesMenuItem(
        _("Engines"),
        reverse("imagepipe_admin:engines"),
        name="imagepipe-engines",
        icon_name="cogs",
        order=550,
    )


@hooks.register("construct_homepage_panels")
def add_own_runs(request: HttpRequest, panels: list[Any]) -> None:
    panels.append(RunsPanel())


@hooks.register("register_group_permission_panel")
def register_group_permission_panel() -> type:
    return GroupAssetPermissionFormSet


@hooks.register("register_permissions")
def register_permissions() -> QuerySet[Permission]:
    return Permission.objects.filter(
        content_type__app_label="imagepipe",
        codename__in=[
            "add_registeredmodel", "promote_registeredmodel", "change_quota",
            "add_engine", "change_engine",
        ],  # fmt: skip
    )


@hooks.register("describe_collection_contents")
def describe_collection_contents(collection: Collection) -> dict[str, Any] | None:
    return collection_contents(collection)
