"""What a picture is made for, where the settings name a model for more than one purpose."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from imagepipe.conf import get_settings
from imagepipe.registry.models import RegisteredModel
from imagepipe.workflow.model_choice import IDEATION, PRODUCTION, routed

WORDS = {IDEATION: _("Ideas"), PRODUCTION: _("Production")}


def routes() -> dict[str, RegisteredModel]:
    """The model of each purpose that has one which may be used, production first."""
    found = {}
    for purpose in (PRODUCTION, IDEATION):
        if purpose not in get_settings().ROUTES:
            continue
        model = routed(purpose)
        if model is not None and model.state == RegisteredModel.State.ALLOWED:
            found[purpose] = model
    return found


def offer_purposes(form: forms.Form) -> dict[str, RegisteredModel]:
    """Let the form ask for the purpose where there is a choice; return the routes."""
    found = routes()
    if len(found) > 1:
        form.fields["purpose"] = forms.ChoiceField(
            label=_("Made for"),
            required=False,
            choices=[(name, f"{WORDS[name]} ({model})") for name, model in found.items()],
            help_text=_("Decides the model where neither you nor the template names one."),
        )
    return found
