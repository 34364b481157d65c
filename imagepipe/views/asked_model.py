"""The model that the fields of a form come to, while it is still being filled in."""

from __future__ import annotations

from collections.abc import Mapping

from imagepipe.prompts.models import PromptTemplate
from imagepipe.registry.models import RegisteredModel
from imagepipe.views.purpose import routes


def asked_model(values: Mapping[str, str]) -> RegisteredModel | None:
    """By ``model``, else by ``template``, by ``purpose``, else the only one there is."""
    model, template = (values.get(name, "") for name in ("model", "template"))
    allowed = RegisteredModel.objects.filter(state=RegisteredModel.State.ALLOWED)
    found = allowed.filter(pk=model).first() if model.isdecimal() and len(model) < 19 else None
    if found is None and template.isdecimal() and len(template) < 19:
        live = PromptTemplate.objects.filter(live=True).select_related("model")
        chosen = live.filter(pk=template).first()
        found = chosen.model if chosen else None
    if found is None:
        named = routes()
        found = named.get(values.get("purpose", "")) or next(iter(named.values()), None)
    if found is None and allowed.filter(kind="checkpoint").count() == 1:
        found = allowed.get(kind="checkpoint")
    return found
