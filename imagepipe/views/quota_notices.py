"""What is written to those who decide about quotas, and to those who have asked for more."""

from __future__ import annotations

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import AbstractBaseUser
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from imagepipe.events.bus import MoreDecided, MoreRequested
from imagepipe.views.e_mail import language_of, send
from imagepipe.workflow.queue_models import NoticePreference, QuotaRequest
from imagepipe.workflow.quota_actions import MAY_DECIDE

AT_MOST = 20
"""E-mails about one request."""


def deciders() -> QuerySet[AbstractBaseUser]:
    """Return who may decide, has an address and did not switch these e-mails off."""
    silent = NoticePreference.objects.filter(quota_requests=False).values("user")
    people = ModelBackend().with_perm(MAY_DECIDE)
    return people.exclude(pk__in=silent).exclude(email="").order_by("pk")


def tell_of_request(event: MoreRequested) -> None:
    """Subscriber: tell those who decide, but not of what they ask for themselves."""
    request = _read(event.request_id)
    if request is None or request.state != QuotaRequest.State.OPEN:
        return
    for user in deciders().exclude(pk=request.user_id)[:AT_MOST]:
        with language_of(user):
            said = {"who": request.user, "amount": request.amount, "quota": request.quota}
            subject = _("%(who)s asks for %(amount)d more") % said
            lines = [_("Quota: %(quota)s") % said]
            if request.reason:
                lines.append(_("Reason: %(reason)s") % {"reason": request.reason})
            lines.append(_("It holds until %(end)s.") % {"end": _end(request)})
            send(user, subject, "\n".join(lines), reverse("imagepipe_admin:quota_requests"))


def tell_of_decision(event: MoreDecided) -> None:
    """Subscriber: tell who asked."""
    request = _read(event.request_id)
    if request is None or not (request.user.email and request.user.is_active):
        return
    with language_of(request.user):
        if request.state == QuotaRequest.State.GRANTED:
            subject = _("You were granted %(amount)d more") % {"amount": request.amount}
            body = _("It holds until %(end)s.") % {"end": _end(request)}
        else:
            subject = _("You were not granted more")
            body = _("You asked for %(amount)d more.") % {"amount": request.amount}
        body = "\n".join([_("Quota: %(quota)s") % {"quota": request.quota}, body])
        send(request.user, subject, body, reverse("imagepipe_admin:queue"))


def _read(pk: int) -> QuotaRequest | None:
    rows = QuotaRequest.objects.select_related("quota", "user__wagtail_userprofile")
    return rows.filter(pk=pk).first()


def _end(request: QuotaRequest) -> str:
    return date_format(timezone.localtime(request.valid_until), "SHORT_DATETIME_FORMAT")
