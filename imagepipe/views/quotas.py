"""Quotas: what there is, one of them, and asking for more than one allows."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views import View
from django.views.decorators.http import require_POST
from wagtail.admin import messages
from wagtail.admin.ui.tables import BaseColumn, Column, TitleColumn
from wagtail.admin.views.generic.base import BaseListingView, WagtailAdminTemplateMixin
from wagtail.admin.views.generic.permissions import PermissionCheckedMixin
from wagtail.admin.widgets.button import HeaderButton
from wagtail.permission_policies import ModelPermissionPolicy

from imagepipe.exceptions import ImagepipeError
from imagepipe.views.breadcrumbs import HOME, Crumbs, here
from imagepipe.views.quota_form import AskForm, QuotaForm
from imagepipe.workflow import quotas
from imagepipe.workflow.exceptions import QuotaExceeded
from imagepipe.workflow.queue_models import Quota
from imagepipe.workflow.quota_actions import MAY_DECIDE, RemoveQuota, RequestMore

LISTING = "imagepipe_admin:quotas"


class QuotaIndexView(PermissionCheckedMixin, BaseListingView):
    """All of them, for those who may change them."""

    permission_policy = ModelPermissionPolicy(Quota)
    permission_required = "change"
    page_title = gettext_lazy("Quotas")
    header_icon = "tasks"
    template_name = "imagepipe/studio/listing.html"
    results_template_name = "imagepipe/studio/listing_results.html"
    index_url_name = LISTING
    index_results_url_name = f"{LISTING}_results"
    model = Quota
    default_ordering = "pk"
    paginate_by = 50
    no_results_message = gettext_lazy("There is no quota: everybody may ask for anything.")

    def get_queryset(self) -> QuerySet[Quota]:
        self.queryset = Quota.objects.select_related("user", "group", "site")
        return super().get_queryset()

    @cached_property
    def header_buttons(self) -> list[HeaderButton]:
        return [
            HeaderButton(
                _("Add a quota"), url=reverse("imagepipe_admin:quota_add"), icon_name="plus"
            ),
            HeaderButton(
                _("Requests for more"),
                url=reverse("imagepipe_admin:quota_requests"),
                icon_name="tasks",
            ),
        ]

    @cached_property
    def columns(self) -> list[BaseColumn]:
        return [
            TitleColumn(
                "subject",
                label=gettext_lazy("For whom"),
                accessor=for_whom,
                get_url=lambda quota: reverse("imagepipe_admin:quota", args=[quota.pk]),
            ),
            Column("amount", label=gettext_lazy("Amount"), sort_key="amount"),
            Column("unit", label=gettext_lazy("Unit"), accessor="unit_name"),
            Column("period", label=gettext_lazy("Period"), accessor="get_period_display"),
        ]


def for_whom(quota: Quota) -> str:
    """In words."""
    if quota.user is not None:
        return str(quota.user)
    if quota.group is not None:
        return _("%(name)s, all members together") % {"name": quota.group}
    return str(quota.site) if quota.site is not None else _("Each user")


class QuotaView(WagtailAdminTemplateMixin, View):
    """A new quota, or the one with ``pk``."""

    header_icon = "tasks"
    template_name = "imagepipe/studio/quota.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.has_perm(MAY_DECIDE):
            raise PermissionDenied
        pk = kwargs.get("pk")
        self.quota = get_object_or_404(Quota, pk=pk) if pk else Quota()
        return super().dispatch(request, *args, **kwargs)

    def get_page_title(self) -> str:
        return for_whom(self.quota) if self.quota.pk else _("New quota")

    def get_breadcrumbs_items(self) -> Crumbs:
        listing = {"url": reverse(LISTING), "label": _("Quotas")}
        return [*HOME, listing, *here(self.get_page_title())]

    def get(self, request: HttpRequest, pk: int | None = None) -> HttpResponse:
        return self._show(QuotaForm(instance=self.quota))

    def post(self, request: HttpRequest, pk: int | None = None) -> HttpResponse:
        form = QuotaForm(request.POST, instance=self.quota)
        if form.is_valid():
            try:
                quota = form.execute(request.user)
            except ImagepipeError as error:
                form.add_error(None, str(error))
            else:
                said = _("The quota is saved: %(quota)s.")
                messages.success(request, said % {"quota": quota})
                return redirect(LISTING)
        messages.validation_error(request, _("Nothing was saved."), form)
        return self._show(form)

    def _show(self, form: QuotaForm) -> HttpResponse:
        return self.render_to_response(
            self.get_context_data(form=form, media=form.media, quota=self.quota)
        )


@require_POST
def remove_quota(request: HttpRequest, pk: int) -> HttpResponse:
    quota = get_object_or_404(Quota, pk=pk)
    said = _("The quota is removed: %(quota)s.") % {"quota": quota}
    RemoveQuota(quota, request.user).execute()
    messages.success(request, said)
    return redirect(LISTING)


class AskView(WagtailAdminTemplateMixin, View):
    """Where somebody whose quota is used up asks for more."""

    page_title = gettext_lazy("Ask for more")
    header_icon = "tasks"
    template_name = "imagepipe/studio/quota_ask.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self.quota = get_object_or_404(Quota, pk=kwargs["pk"])
        if not quotas.applies_to(self.quota, request.user):
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)

    def get_breadcrumbs_items(self) -> Crumbs:
        queue = {"url": reverse("imagepipe_admin:queue"), "label": _("Queue")}
        return [*HOME, queue, *here(self.page_title)]

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self._show(AskForm(initial={"amount": max(1, self.quota.amount // 2)}))

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        form = AskForm(request.POST)
        if form.is_valid():
            try:
                RequestMore(self.quota, request.user, **form.cleaned_data).execute()
            except ImagepipeError as error:
                form.add_error(None, str(error))
            else:
                messages.success(
                    request, _("You have asked. Somebody who decides about quotas sees it now.")
                )
                return redirect("imagepipe_admin:queue")
        messages.validation_error(request, _("Nothing was sent."), form)
        return self._show(form)

    def _show(self, form: AskForm) -> HttpResponse:
        context = self.get_context_data(
            form=form,
            media=form.media,
            quota=self.quota,
            used=quotas.in_words(
                self.quota, quotas.usage(self.quota, self.request.user)
            ),
            allowed=quotas.allowed(self.quota, self.request.user),
            until=quotas.period_of(self.quota.period)[1],
        )
        return self.render_to_response(context)


def refusal(error: Exception) -> str:
    """The error as a sentence, with a link to ask for more if that may help.

    It opens another page, so that what was filled in stays.
    """
    if not isinstance(error, QuotaExceeded):
        return str(error)
    return format_html(
        '{} <a href="{}" target="_blank" rel="noreferrer">{}</a>',
        str(error),
        reverse("imagepipe_admin:quota_ask", args=[error.quota.pk]),
        _("Ask for more"),
    )
