"""Alternative texts for many pictures, one card at a time."""

from __future__ import annotations

import uuid
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views import View
from django.views.decorators.http import require_POST, require_safe
from wagtail.admin import messages
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin

from imagepipe.assets.models import Asset
from imagepipe.exceptions import ImagepipeError
from imagepipe.seo.alt_text import worklist
from imagepipe.seo.alt_text.worklist import Item
from imagepipe.views.access import may, open_asset
from imagepipe.views.alt_cards import Card, advise, card_of
from imagepipe.views.alt_decisions import Decisions, decide, undo
from imagepipe.views.alt_filter import WorkFilter, changeable_assets
from imagepipe.views.alt_runs import offer
from imagepipe.views.breadcrumbs import Crumbs, here
from imagepipe.views.permitted import PermittedMixin


class CurationView(PermittedMixin, WagtailAdminTemplateMixin, View):
    """GET shows a card (``?at=``); POST does what its buttons say and shows the next."""

    any_verb = ("change",)
    header_icon = "openquote"
    template_name = "imagepipe/studio/alt_texts.html"
    page_title = gettext_lazy("Alternative texts")

    def get_breadcrumbs_items(self) -> Crumbs:
        return here(self.page_title)

    @cached_property
    def filter(self) -> WorkFilter:
        return WorkFilter(self.request.user, self.request.GET)

    @cached_property
    def decisions(self) -> Decisions:
        return Decisions(self.request.session)

    def get(self, request: HttpRequest) -> HttpResponse:
        at = self._item(request.GET.get("at", ""))
        item = at or self._neighbour(None)
        return self.render_to_response(self.get_context_data(**self._shown(item)))

    def post(self, request: HttpRequest) -> HttpResponse:
        at, message = self._item(request.POST.get("at", "")), ""
        what = request.POST.get("do", "")
        item, is_refused = at, False
        try:
            if what == "undo":
                item, message = undo(self.decisions, request.user)
            elif what in ("next", "previous"):
                item = self._neighbour(at, backwards=what == "previous")
            elif at is not None:
                message = decide(self.decisions, at, request.user, request.POST)
                item = self._neighbour(at)
        except (ImagepipeError, PermissionDenied) as error:
            message, is_refused = str(error) or _("You may not change this picture."), True
        typed = request.POST.get("text", "") if is_refused else None
        if request.headers.get("X-Requested-With") == "XMLHttpRequest":
            context = self._shown(item) | {"message": message, "typed": typed}
            html = render_to_string(
                "imagepipe/studio/includes/alt_card.html", context, request=request
            )
            return JsonResponse({"html": html, "message": message, "refused": is_refused})
        if is_refused:
            messages.error(request, message)
            return self.render_to_response(
                self.get_context_data(**self._shown(item), typed=typed)
            )
        if message:
            messages.success(request, message)
        key = f"&at={item.key}" if item else ""
        return redirect(f"{reverse('imagepipe_admin:alt_texts')}?{self.filter.query}{key}")

    def _neighbour(self, at: Item | None, *, backwards: bool = False) -> Item | None:
        assets, reasons, languages = self.filter.chosen
        aside = self.decisions.aside
        return worklist.neighbour(
            assets, reasons, languages, at, backwards=backwards, aside=aside
        )

    def _item(self, key: str) -> Item | None:
        """The item of a key ``<asset>:<language>``, if it is the person's to change."""
        number, _colon, language = key.partition(":")
        codes = worklist.site_languages()
        if not (number.isdecimal() and len(number) < 19 and language in codes):
            return None
        if not changeable_assets(self.request.user).filter(pk=number).exists():
            return None
        return Item(int(number), codes.index(language), language)

    def _shown(self, item: Item | None) -> dict[str, Any]:
        left = worklist.remaining(*self.filter.chosen)
        done = self.decisions.done
        return {
            "card": self._card(item),
            "work": self.filter,
            "done": done,
            "left": left,
            "all": done + left,
            "can_undo": self.decisions.can_undo,
            "set_aside": len(self.decisions.aside),
        }

    def _card(self, item: Item | None) -> Card | None:
        if item is None:
            return None
        asset = Asset.objects.select_related("published_version", "image", "collection")
        return card_of(asset.get(pk=item.asset), item.language, self.request.user)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        assets, _reasons, languages = self.filter.chosen
        return super().get_context_data(
            offer=offer(assets, languages, self.request.user), **kwargs
        )


@require_safe
def alt_advice(request: HttpRequest) -> JsonResponse:
    """What may be wrong with a text that is being written."""
    asset = open_asset(request.user, _uuid(request.GET.get("asset", "")))
    if not may(request.user, "change", asset):
        raise PermissionDenied
    text, language = request.GET.get("text", "")[:1000], request.GET.get("language", "")[:16]
    return JsonResponse({"advice": advise(asset, text, language)})


@require_POST
def start_over(request: HttpRequest) -> HttpResponse:
    """Bring back what was set aside."""
    Decisions(request.session).forget_aside()
    return redirect("imagepipe_admin:alt_texts")


def _uuid(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        raise Http404 from None
