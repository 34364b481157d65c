"""E-mail to people who use the admin, in their language, with a link to where it goes on."""

from __future__ import annotations

import logging
from contextlib import AbstractContextManager

from django.contrib.auth.models import AbstractBaseUser
from django.core.mail import send_mail
from django.utils import translation
from wagtail.admin.utils import get_admin_base_url

logger = logging.getLogger("imagepipe.workflow")


def language_of(user: AbstractBaseUser) -> AbstractContextManager[None]:
    """Return a context in which sentences are in the reader's language."""
    profile = getattr(user, "wagtail_userprofile", None)
    preferred = profile.get_preferred_language() if profile else translation.get_language()
    return translation.override(preferred)


def send(user: AbstractBaseUser, subject: str, body: str, path: str) -> None:
    """Write to the user; ``path`` is a page of the admin. A failing mail server is logged."""
    base = get_admin_base_url()
    lines = [body, *([base.rstrip("/") + path] if base else [])]
    try:
        send_mail(" ".join(subject.split()), "\n\n".join(lines) + "\n", None, [user.email])
    except OSError:
        logger.exception("notice could not be sent")
