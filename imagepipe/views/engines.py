"""The engines elsewhere: listed, entered, changed, switched off."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views import View
from django.views.decorators.http import require_POST
from wagtail.admin import messages
from wagtail.admin.menu import MenuItem
from wagtail.admin.ui.tables import BaseColumn, Column, StatusTagColumn, TitleColumn
from wagtail.admin.views.generic.base import BaseListingView, WagtailAdminTemplateMixin
from wagtail.admin.views.generic.permissions import PermissionCheckedMixin
from wagtail.permission_policies import ModelPermissionPolicy

from imagepipe.exceptions import ImagepipeError
from imagepipe.generation.actions import SwitchEngine
from imagepipe.generation.models import Engine
from imagepipe.generation.prices import in_money
from imagepipe.views.breadcrumbs import HOME, Crumbs, here
from imagepipe.views.engine_form import EngineForm
from imagepipe.views.wide import WIDE

LISTING = "imagepipe_admin:engines"
MAY_CHANGE, MAY_ADD = "imagepipe.change_engine", "imagepipe.add_engine"


class EngineIndexView(PermissionCheckedMixin, BaseListingView):
    permission_policy = ModelPermissionPolicy(Engine)
    any_permission_required = ["add", "change"]
    page_title = gettext_lazy("Engines")
    header_icon = "cogs"
    template_name = "imagepipe/studio/listing.html"
    results_template_name = "imagepipe/studio/listing_results.html"
    index_url_name = LISTING
    index_results_url_name = f"{LISTING}_results"
    model = Engine
    default_ordering = "name"
    paginate_by = 50
    no_results_message = gettext_lazy(
        "No engine elsewhere is connected. Models are run on this machine."
    )

    def get_queryset(self) -> QuerySet[Engine]:
        self.queryset = Engine.objects.all()
        return super().get_queryset()

    @cached_property
    def header_buttons(self) -> list[Any]:
        from wagtail.admin.widgets.button import HeaderButton

        if not self.request.user.has_perm(MAY_ADD):
            return []
        address = reverse("imagepipe_admin:engine_add")
        return [HeaderButton(_("Connect an engine"), url=address, icon_name="plus")]

    @cached_property
    def columns(self) -> list[BaseColumn]:
        return [
            TitleColumn(
                "name", label=gettext_lazy("Name"), sort_key="name", get_url=self._address
            ),
            Column("kind", label=gettext_lazy("Kind"), accessor="get_kind_display"),
            StatusTagColumn(
                "enabled",
                label=gettext_lazy("State"),
                accessor=lambda e: _("Enabled") if e.enabled else _("Disabled"),
                primary=lambda engine: engine.enabled,
            ),
            Column("address", label=gettext_lazy("Address"), classname=WIDE),
            Column(
                "key",
                label=gettext_lazy("Key"),
                accessor=lambda engine: _("Stored") if engine.has_key else _("No key"),
                classname=WIDE,
            ),
            Column(
                "limits", label=gettext_lazy("Runs at a time"), accessor=_limit, classname=WIDE
            ),
            Column("price", label=gettext_lazy("Price"), accessor=_price, classname=WIDE),
        ]

    def _address(self, engine: Engine) -> str | None:
        if not self.request.user.has_perm(MAY_CHANGE):
            return None
        return reverse("imagepipe_admin:engine", args=[engine.pk])


def _price(engine: Engine) -> str:
    prices = (
        (engine.price_per_picture, _("%(price)s per picture")),
        (engine.price_per_second, _("%(price)s per second")),
    )
    said = [words % {"price": in_money(price)} for price, words in prices if price]
    return ", ".join(said) or _("Free")


def _limit(engine: Engine) -> str:
    return str(engine.concurrent) if engine.concurrent else _("No limit")


class EngineFormView(WagtailAdminTemplateMixin, View):
    """One engine, or a new one."""

    header_icon = "cogs"
    template_name = "imagepipe/studio/engine.html"
    engine: Engine

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        pk = kwargs.pop("pk", None)
        if not request.user.has_perm(MAY_CHANGE if pk else MAY_ADD):
            raise PermissionDenied
        self.engine = get_object_or_404(Engine, pk=pk) if pk else Engine()
        return super().dispatch(request, *args, **kwargs)

    @property
    def page_title(self) -> str:
        return self.engine.name if self.engine.pk else _("Connect an engine")

    def get_breadcrumbs_items(self) -> Crumbs:
        listing = {"url": reverse(LISTING), "label": EngineIndexView.page_title}
        return [*HOME, listing, *here(self.page_title)]

    def get(self, request: HttpRequest) -> HttpResponse:
        return self._show(EngineForm(instance=self.engine))

    def post(self, request: HttpRequest) -> HttpResponse:
        form = EngineForm(request.POST, instance=self.engine)
        if form.is_valid():
            try:
                with transaction.atomic():
                    engine = form.save_as(request.user)
            except ImagepipeError as error:
                field = getattr(error, "field", "")
                form.add_error(field if field in form.fields else None, str(error))
            else:
                messages.success(request, _("The engine “%(name)s” was saved.") % {
                    "name": engine.name
                })  # fmt: skip
                return redirect(LISTING)
        messages.validation_error(request, _("Nothing was saved."), form)
        return self._show(form)

    def _show(self, form: EngineForm) -> HttpResponse:
        stored = Engine.objects.filter(pk=self.engine.pk).first()
        context = self.get_context_data(form=form, engine=stored, media=form.media)
        return self.render_to_response(context)


@require_POST
def switch_engine(request: HttpRequest, pk: int) -> HttpResponse:
    """``on=1`` or ``on=0``."""
    engine = get_object_or_404(Engine, pk=pk)
    on = request.POST.get("on") == "1"
    SwitchEngine(engine, request.user, on=on).execute()
    said = _("The engine “%(name)s” is enabled.") if on else _(
        "The engine “%(name)s” is disabled; runs that need it fail with that reason."
    )  # fmt: skip
    messages.success(request, said % {"name": engine.name})
    return redirect(LISTING)


class EnginesMenuItem(MenuItem):
    """Shown to those who may change engines."""

    def is_shown(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm(MAY_CHANGE) or request.user.has_perm(MAY_ADD))
