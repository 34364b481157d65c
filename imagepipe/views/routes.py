"""Which model makes pictures for which purpose, and what takes its place; read-only.

Both are settings (``ROUTES``, ``FALLBACKS``); the health of engines is what the queue knows.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views import View
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin

from imagepipe.conf import get_settings
from imagepipe.generation.models import Engine
from imagepipe.registry.kinds import Kind
from imagepipe.registry.models import RegisteredModel
from imagepipe.views.breadcrumbs import HOME, Crumbs, here
from imagepipe.views.engines import MAY_CHANGE
from imagepipe.views.permitted import PermittedMixin
from imagepipe.views.purpose import WORDS
from imagepipe.workflow.abilities import abilities_if_known
from imagepipe.workflow.breakers import resting
from imagepipe.workflow.fallbacks import find
from imagepipe.workflow.model_choice import PURPOSES
from imagepipe.workflow.queue_models import EngineHealth


@dataclass(frozen=True)
class Stop:
    """A model on a route, with the state of its engine in words."""

    slug: str
    model: RegisteredModel | None
    healthy: bool
    state: str
    reproducible: bool | None
    """None: not known."""
    error: str = ""
    """The last one; for those who look after engines."""


@dataclass(frozen=True)
class Route:
    name: str
    first: Stop
    spare: Stop | None


class RoutesView(PermittedMixin, WagtailAdminTemplateMixin, View):
    any_verb = ("generate", "review")
    page_title = gettext_lazy("Routes")
    header_icon = "redirect"
    template_name = "imagepipe/studio/routes.html"

    def get_breadcrumbs_items(self) -> Crumbs:
        return [*HOME, *here(self.page_title)]

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.render_to_response(self.get_context_data())

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        shows_errors = self.request.user.has_perm(MAY_CHANGE)
        stops = _Stops(timezone.now(), shows_errors)
        settings = get_settings()
        purposes = [
            stops.route(str(WORDS[purpose]), settings.ROUTES[purpose])
            for purpose in PURPOSES
            if purpose in settings.ROUTES
        ]
        models = RegisteredModel.objects.filter(
            kind=Kind.CHECKPOINT.value, state=RegisteredModel.State.ALLOWED
        )
        others = [stops.route(str(model), model.slug) for model in models]
        return super().get_context_data(purposes=purposes, others=others, **kwargs)


class _Stops:
    """Looks models and engines up once for the whole page."""

    def __init__(self, now: dt.datetime, shows_errors: bool) -> None:
        self.now, self.shows_errors = now, shows_errors
        self.models = {model.slug: model for model in RegisteredModel.objects.all()}
        self.health = {row.name: row for row in EngineHealth.objects.all()}
        self.disabled = set(
            Engine.objects.filter(enabled=False).values_list("name", flat=True)
        )
        self.resting = resting(now)

    def route(self, name: str, slug: str) -> Route:
        spare = find(slug)
        return Route(name, self.stop(slug), self.stop(spare.slug) if spare else None)

    def stop(self, slug: str) -> Stop:
        model = self.models.get(slug)
        if model is None:
            return Stop(slug, None, False, _("There is no such model."), None)
        if model.state != RegisteredModel.State.ALLOWED:
            return Stop(slug, model, False, _("The model is not allowed."), None)
        healthy, state = self._engine(model.backend)
        known = abilities_if_known(model) if healthy else None
        health = self.health.get(model.backend)
        error = health.last_error if health and self.shows_errors else ""
        return Stop(
            slug,
            model,
            healthy and known is not None,
            state if known or not healthy else _("Does not answer."),
            known.reproducible and known.supports_seed if known else None,
            error,
        )

    def _engine(self, name: str) -> tuple[bool, str]:
        if name in self.disabled:
            return False, _("The engine is disabled.")
        health = self.health.get(name)
        if health and health.open_until and health.open_until > self.now:
            until = date_format(timezone.localtime(health.open_until), "TIME_FORMAT")
            return False, _("Rests after failures until %(time)s.") % {"time": until}
        if name in self.resting:
            return True, _("Ready, but as busy as it may be.")
        if health and health.failures:
            said = ngettext(
                "Ready; failed %(count)d time in a row.",
                "Ready; failed %(count)d times in a row.",
                health.failures,
            )
            return True, said % {"count": health.failures}
        return True, _("Ready")
