"""Who asks for more than a quota allows, and the buttons that grant or refuse it."""

from __future__ import annotations

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST
from wagtail.admin import messages
from wagtail.admin.menu import MenuItem
from wagtail.admin.ui.tables import BaseColumn, Column, DateColumn, UserColumn
from wagtail.admin.views.generic.base import BaseListingView
from wagtail.admin.views.generic.permissions import PermissionCheckedMixin
from wagtail.admin.widgets.button import HeaderButton
from wagtail.permission_policies import ModelPermissionPolicy

from imagepipe.exceptions import InvalidState
from imagepipe.views.wide import WIDE
from imagepipe.workflow.queue_models import Quota, QuotaRequest
from imagepipe.workflow.quota_actions import MAY_DECIDE, DecideRequest

LISTING = "imagepipe_admin:quota_requests"


class DecisionColumn(BaseColumn):
    cell_template_name = "imagepipe/studio/includes/decision_cell.html"


class QuotaRequestIndexView(PermissionCheckedMixin, BaseListingView):
    """Those that nobody has decided and whose period has not ended, the oldest first."""

    permission_policy = ModelPermissionPolicy(Quota)
    permission_required = "change"
    page_title = gettext_lazy("Requests for more")
    header_icon = "tasks"
    template_name = "imagepipe/studio/listing.html"
    results_template_name = "imagepipe/studio/quota_requests_results.html"
    index_url_name = LISTING
    index_results_url_name = f"{LISTING}_results"
    model = QuotaRequest
    default_ordering = "created_at"
    paginate_by = 50
    no_results_message = gettext_lazy("Nobody asks for more than a quota allows.")

    def get_queryset(self) -> QuerySet[QuotaRequest]:
        self.queryset = QuotaRequest.objects.filter(
            state=QuotaRequest.State.OPEN, valid_until__gt=timezone.now()
        ).select_related("quota", "user__wagtail_userprofile")
        return super().get_queryset()

    @cached_property
    def header_buttons(self) -> list[HeaderButton]:
        url = reverse("imagepipe_admin:quotas")
        return [HeaderButton(_("Quotas"), url=url, icon_name="tasks")]

    @cached_property
    def columns(self) -> list[BaseColumn]:
        return [
            UserColumn("user", label=gettext_lazy("Who asks")),
            Column("quota", label=gettext_lazy("Quota")),
            Column("amount", label=gettext_lazy("More"), sort_key="amount"),
            Column("reason", label=gettext_lazy("Reason"), width="30%"),
            DateColumn(
                "created_at",
                label=gettext_lazy("Asked"),
                sort_key="created_at",
                classname=WIDE,
            ),
            Column("valid_until", label=gettext_lazy("Until"), accessor=_end, classname=WIDE),
            DecisionColumn("decision", label=gettext_lazy("Decision")),
        ]


def _end(request: QuotaRequest) -> str:
    return date_format(timezone.localtime(request.valid_until), "SHORT_DATETIME_FORMAT")


class QuotaRequestsMenuItem(MenuItem):
    """Shown to those who may decide."""

    def is_shown(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm(MAY_DECIDE))


@require_POST
def decide_quota_request(request: HttpRequest, pk: int) -> HttpResponse:
    """``decision=grant`` or ``decision=refuse``."""
    asked = get_object_or_404(QuotaRequest.objects.select_related("user"), pk=pk)
    decision = request.POST.get("decision")
    if decision not in ("grant", "refuse"):
        messages.error(request, _("Choose “Grant” or “Refuse”."))
        return redirect(LISTING)
    grant = decision == "grant"
    try:
        DecideRequest(asked, request.user, grant=grant).execute()
    except InvalidState as error:
        messages.error(request, str(error))
        return redirect(LISTING)
    said = _("%(who)s was granted %(amount)d more.") if grant else _("%(who)s was refused.")
    messages.success(request, said % {"who": asked.user, "amount": asked.amount})
    return redirect(LISTING)
