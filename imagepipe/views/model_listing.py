"""The models that are registered, in whatever state."""

from __future__ import annotations

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from wagtail.admin.ui.tables import BaseColumn, Column, StatusTagColumn
from wagtail.admin.views.generic.base import BaseListingView
from wagtail.admin.widgets.button import HeaderButton

from imagepipe.registry.kinds import Kind
from imagepipe.registry.models import RegisteredModel
from imagepipe.views.permitted import PermittedMixin
from imagepipe.views.wide import WIDE
from imagepipe.workflow.steps.register_model import PERMISSION


class LicenceColumn(BaseColumn):
    cell_template_name = "imagepipe/studio/includes/licence_cell.html"


class ModelIndexView(PermittedMixin, BaseListingView):
    any_verb = ("generate", "review")
    page_title = _("Models")
    header_icon = "cogs"
    template_name = "imagepipe/studio/listing.html"
    results_template_name = "imagepipe/studio/listing_results.html"
    index_url_name = "imagepipe_admin:models"
    index_results_url_name = "imagepipe_admin:models_results"
    model = RegisteredModel
    default_ordering = "name"
    is_searchable = True
    search_backend_name = None
    search_fields = ["name", "slug", "kind", "family", "licence"]
    paginate_by = 50
    no_results_message = _(
        "No model is registered. “manage.py imagepipe register-model” does it."
    )

    def get_queryset(self) -> QuerySet[RegisteredModel]:
        self.queryset = RegisteredModel.objects.all()
        return super().get_queryset()

    @cached_property
    def header_buttons(self) -> list[HeaderButton]:
        if not self.request.user.has_perm(PERMISSION):
            return []
        address = reverse("imagepipe_admin:model_register")
        return [HeaderButton(_("Register a model"), url=address, icon_name="plus")]

    @cached_property
    def columns(self) -> list[BaseColumn]:
        return [
            Column("name", label=_("Name"), sort_key="name"),
            Column("kind", label=_("Kind"), accessor="get_kind_display", sort_key="kind"),
            StatusTagColumn(
                "state",
                label=_("State"),
                accessor="get_state_display",
                primary=lambda model: model.state == RegisteredModel.State.ALLOWED,
                sort_key="state",
            ),
            Column("backend", label=_("Engine"), sort_key="backend", classname=WIDE),
            Column("family", label=_("Family"), classname=WIDE),
            Column("size", label=_("Size"), accessor=_size, classname=WIDE),
            LicenceColumn("licence", label=_("Licence")),
            Column(
                "sha256",
                label=_("Content hash"),
                accessor=lambda model: model.sha256[:12],
                classname=WIDE,
            ),
        ]


def _size(model: RegisteredModel) -> str:
    """Of the pictures that it makes or looks at; the others follow their checkpoint."""
    if model.kind not in (Kind.CHECKPOINT, Kind.CLIP):
        return ""
    return f"{model.native_width}×{model.native_height}"
