"""Writing and checking the audit chains."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.utils import timezone

from imagepipe.audit.models import AuditEvent

SYSTEM = "system"


def record(
    chain: str, action: str, actor: AbstractBaseUser | None, data: dict[str, Any] | None = None
) -> AuditEvent:
    """Append one event to the chain of a subject; call it inside the action's transaction."""
    last = AuditEvent.objects.select_for_update().filter(chain=chain).last()
    event = AuditEvent(
        chain=chain,
        sequence=last.sequence + 1 if last else 1,
        at=timezone.now().astimezone(dt.UTC),
        actor=actor,
        actor_name=actor.get_username() if actor else SYSTEM,
        action=action,
        data=data or {},
        previous_hash=last.hash if last else "",
    )
    event.hash = event.compute_hash()
    event.save()
    return event


def verify_chain(chain: str) -> int | None:
    """Return the sequence number of the first broken link, or None when the chain is whole."""
    previous, expected = "", 1
    for event in AuditEvent.objects.filter(chain=chain).order_by("sequence"):
        event.at = event.at.astimezone(dt.UTC)
        broken = event.sequence != expected or event.previous_hash != previous
        if broken or event.compute_hash() != event.hash:
            return expected
        previous, expected = event.hash, expected + 1
    return None
