"""Registering models, allowing them for production, and retiring them."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from imagepipe.actions.base import Action
from imagepipe.exceptions import ImagepipeError, InvalidState
from imagepipe.registry.hub import source_of
from imagepipe.registry.models import RegisteredModel

State = RegisteredModel.State


class InvalidModelEntry(ImagepipeError):
    """What was given about a model is incomplete or malformed."""


class RegisterModel(Action[RegisteredModel, RegisteredModel]):
    """Enter an unsaved model into the registry; it may not be used before it is promoted.

    Raises :class:`InvalidModelEntry` with what is wrong.
    """

    action_name = "imagepipe.model.register"
    permission_policy_action = "add"

    def perform(self) -> RegisteredModel:
        model = self.instance
        if model.pk is not None:
            raise InvalidState(_("The model is registered already."))
        model.state = State.REGISTERED
        try:
            model.full_clean()
        except ValidationError as error:
            problems = (
                f"{field}: {' '.join(messages)}"
                for field, messages in error.message_dict.items()
            )
            raise InvalidModelEntry(" ".join(problems)) from error
        model.save(force_insert=True)
        self.audit_data = _facts(model)
        return model


class PromoteModel(Action[RegisteredModel, RegisteredModel]):
    """Allow a registered or retired model for production."""

    action_name = "imagepipe.model.promote"
    permission_policy_action = "promote"

    def perform(self) -> RegisteredModel:
        _move(self.instance, {State.REGISTERED, State.RETIRED}, State.ALLOWED)
        self.audit_data = _facts(self.instance)
        return self.instance


class RetireModel(Action[RegisteredModel, RegisteredModel]):
    """Take a model out of use; pictures made with it stay."""

    action_name = "imagepipe.model.retire"
    permission_policy_action = "promote"

    def perform(self) -> RegisteredModel:
        _move(self.instance, {State.REGISTERED, State.ALLOWED}, State.RETIRED)
        self.audit_data = _facts(self.instance)
        return self.instance


def _move(model: RegisteredModel, sources: set[State], target: State) -> None:
    changed = RegisteredModel.objects.filter(pk=model.pk, state__in=sources).update(
        state=target
    )
    model.refresh_from_db()
    if not changed:
        raise InvalidState(
            _("The model “%(model)s” is “%(state)s” and cannot become “%(target)s”.")
            % {"model": model, "state": model.get_state_display(), "target": target.label}
        )


def _facts(model: RegisteredModel) -> dict[str, str]:
    return {
        "slug": model.slug,
        "kind": str(model.kind),
        "sha256": model.sha256,
        "location": model.location,
        "source": source_of(model.location),
    }
