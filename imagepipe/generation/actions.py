"""Entering engines, changing them, replacing their keys, switching them off and on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from imagepipe.actions.base import Action
from imagepipe.conf import get_settings
from imagepipe.exceptions import ImagepipeError, InvalidState
from imagepipe.generation import engines
from imagepipe.generation.backends.address import parse_address
from imagepipe.generation.exceptions import BackendUnavailable
from imagepipe.generation.models import Engine

PRICES = ("price_per_picture", "price_per_second")
CHANGEABLE = ("address", "options", "concurrent", "per_minute", *PRICES)
MAX_KEY = 2000


class InvalidEngine(ImagepipeError):
    """What was given about an engine cannot be used; ``field`` names the culprit."""

    code = "invalid-engine"

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field


class CreateEngine(Action[Engine, Engine]):
    """Enter an unsaved engine. Raises :class:`InvalidEngine`."""

    action_name = "imagepipe.engine.create"
    permission_policy_action = "add"

    def __init__(
        self, engine: Engine, user: AbstractBaseUser | None, *, key: str = ""
    ) -> None:
        super().__init__(engine, user)
        self._key = key

    def perform(self) -> Engine:
        engine = self.instance
        if engine.pk is not None:
            raise InvalidState(_("The engine was entered already."))
        check(engine)
        engine.sealed_key = engines.seal_key(engine, _checked(self._key))
        engine.save(force_insert=True)
        self.audit_data = _facts(engine)
        return engine


class ChangeEngine(Action[Engine, Engine]):
    """Change address, options, limits or prices; what was spent stays as it was.

    A stored key belongs to the server it was entered for: with another server's address it
    has to be given anew, so that nobody can have it sent elsewhere.
    """

    action_name = "imagepipe.engine.change"
    permission_policy_action = "change"

    def __init__(
        self,
        engine: Engine,
        user: AbstractBaseUser | None,
        *,
        values: Mapping[str, Any],
        key: str = "",
    ) -> None:
        super().__init__(engine, user)
        self._values = values
        self._key = key

    def perform(self) -> Engine:
        engine = Engine.objects.select_for_update().get(pk=self.instance.pk)
        before = parse_address(engine.address).origin
        for name in CHANGEABLE:
            setattr(engine, name, self._values.get(name, getattr(engine, name)))
        check(engine)
        if self._key:
            engine.sealed_key = engines.seal_key(engine, _checked(self._key))
        elif engine.has_key and parse_address(engine.address).origin != before:
            raise InvalidEngine(
                _("The address is another server's: enter the key for it."), "key"
            )
        engine.save()
        self.audit_data = _facts(engine) | {"key_replaced": bool(self._key)}
        return engine


class ReplaceKey(Action[Engine, Engine]):
    """Store another key, or none."""

    action_name = "imagepipe.engine.replace_key"
    permission_policy_action = "change"

    def __init__(self, engine: Engine, user: AbstractBaseUser | None, *, key: str) -> None:
        super().__init__(engine, user)
        self._key = key

    def perform(self) -> Engine:
        engine = Engine.objects.select_for_update().get(pk=self.instance.pk)
        engine.sealed_key = engines.seal_key(engine, _checked(self._key))
        engine.save()
        self.audit_data = _facts(engine)
        return engine


class SwitchEngine(Action[Engine, Engine]):
    """Disable an engine, or enable it again; runs that need it fail meanwhile with a reason."""

    action_name = "imagepipe.engine.switch"
    permission_policy_action = "change"

    def __init__(self, engine: Engine, user: AbstractBaseUser | None, *, on: bool) -> None:
        super().__init__(engine, user)
        self._on = on

    def perform(self) -> Engine:
        self.instance.enabled = self._on
        self.instance.save(update_fields=["enabled", "changed_at"])
        self.audit_data = _facts(self.instance)
        return self.instance


def check(engine: Engine) -> None:
    """Raise :class:`InvalidEngine` for what cannot be used; asks the engine nothing."""
    try:
        engine.full_clean()
    except ValidationError as error:
        field, messages = next(iter(error.message_dict.items()))
        raise InvalidEngine(" ".join(messages), field) from error
    if engine.name in engines.HERE or engine.name in get_settings().BACKENDS:
        raise InvalidEngine(_("This name is taken by a backend of the settings."), "name")
    try:
        parse_address(engine.address)
    except ValueError as error:
        raise InvalidEngine(str(error), "address") from error
    if not isinstance(engine.options, dict) or {"address", "key"} & set(engine.options):
        raise InvalidEngine(
            _("Options are an object; address and key have fields of their own."), "options"
        )
    try:
        engines.build(engine)
    except BackendUnavailable as error:
        raise InvalidEngine(str(error), "options") from error


def _checked(key: str) -> str:
    if len(key) > MAX_KEY or not key.isprintable() or not key.isascii():
        raise InvalidEngine(_("This is no key: check what was pasted."), "key")
    return key.strip()


def _facts(engine: Engine) -> dict[str, Any]:
    """For the audit trail: everything but the key."""
    return {
        "name": engine.name,
        "kind": str(engine.kind),
        "origin": parse_address(engine.address).origin,
        "has_key": engine.has_key,
        "enabled": engine.enabled,
        "prices": [str(getattr(engine, name).normalize()) for name in PRICES],
    }
