"""Quotas on the command line: what there is and is used; setting, removing, granting more."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError, OutputWrapper
from django.utils.translation import gettext as _

from imagepipe.management.subcommands._tables import show

help = "Shows quotas of runs, pictures, seconds and money; sets them; grants more."

VERBS = ("list", "set", "remove", "requests", "grant", "refuse")
COLUMNS = {
    "list": ("quota", "for", "amount", "unit", "period", "used", "granted"),
    "requests": ("request", "who", "quota", "more", "reason"),
}


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("verb", choices=VERBS, metavar="VERB", help=", ".join(VERBS))
    parser.add_argument(
        "number", nargs="*", type=int, metavar="NUMBER", help="of quotas, or of requests"
    )
    parser.add_argument("--unit", help="runs, pictures, seconds or cost")
    parser.add_argument("--period", default="month", help="day, week or month (default)")
    parser.add_argument("--amount", type=int, metavar="NUMBER")
    subject = parser.add_mutually_exclusive_group()
    subject.add_argument("--user", metavar="NAME", help="for this user")
    subject.add_argument("--group", metavar="NAME", help="for the members of a group together")
    subject.add_argument("--site", metavar="HOST", help="for a site")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")


def handle(options: dict[str, Any], stdout: OutputWrapper, stderr: OutputWrapper) -> None:
    verb = options["verb"]
    if verb in COLUMNS:
        rows = {"list": _quotas, "requests": _requests}[verb]()
        show(rows, COLUMNS[verb], as_json=options["json"], stdout=stdout)
    elif verb == "set":
        stdout.write(str(_set(options)))
    else:
        for number in options["number"] or _none_named(verb):
            stdout.write(_change(verb, number))


def _quotas() -> list[dict[str, Any]]:
    from imagepipe.workflow import quotas
    from imagepipe.workflow.queue_models import Quota

    return [
        {
            "quota": quota.pk,
            "for": _subject(quota),
            "amount": quota.amount,
            "unit": quota.unit_name if quota.unit == Quota.Unit.COST else quota.unit,
            "period": quota.period,
            "used": _used(quota),
            "granted": quotas.allowed(quota, quota.user) - quota.amount,
        }
        for quota in Quota.objects.select_related("user", "group", "site")
    ]


def _subject(quota: Any) -> str:
    if quota.user is not None:
        return f"user {quota.user.get_username()}"
    if quota.group is not None:
        return f"group {quota.group.name}"
    return f"site {quota.site.hostname}" if quota.site is not None else "each user"


def _used(quota: Any) -> float | None:
    """None: each user's own is another one."""
    from imagepipe.workflow import quotas

    if not (quota.user_id or quota.group_id or quota.site_id):
        return None
    return float(quotas.usage(quota, quota.user))


def _requests() -> list[dict[str, Any]]:
    from django.utils import timezone

    from imagepipe.workflow.queue_models import QuotaRequest

    found = QuotaRequest.objects.filter(
        state=QuotaRequest.State.OPEN, valid_until__gt=timezone.now()
    )
    return [
        {
            "request": request.pk,
            "who": request.user.get_username(),
            "quota": str(request.quota),
            "more": request.amount,
            "reason": request.reason,
        }
        for request in found.select_related("quota", "user").order_by("pk")
    ]


def _set(options: dict[str, Any]) -> Any:
    """A new quota, or another amount for the one of this subject, unit and period."""
    from imagepipe.workflow.queue_models import Quota
    from imagepipe.workflow.quota_actions import SetQuota

    amount = options["amount"]
    known = {"unit": Quota.Unit.values, "period": Quota.Period.values}
    for name, values in known.items():
        if options[name] not in values:
            raise CommandError(
                _("Say with --%(name)s which: %(values)s.")
                % {"name": name, "values": ", ".join(values)}
            )
    if amount is None or amount < 0:
        raise CommandError(_("Say with --amount how much, 0 or more."))
    facts = _named(options) | {"unit": options["unit"], "period": options["period"]}
    quota = Quota.objects.filter(**facts).first() or Quota(**facts)
    quota.amount = amount
    return SetQuota(quota, None).execute()


def _named(options: dict[str, Any]) -> dict[str, Any]:
    from django.contrib.auth import get_user_model
    from django.contrib.auth.models import Group
    from wagtail.models import Site

    people = get_user_model()
    lookups: dict[str, tuple[Any, str]] = {
        "user": (people, people.USERNAME_FIELD),
        "group": (Group, "name"),
        "site": (Site, "hostname"),
    }
    named: dict[str, Any] = dict.fromkeys(lookups)
    for name, (kind, field) in lookups.items():
        if options[name] is not None:
            named[name] = kind._default_manager.filter(**{field: options[name]}).first()
            if named[name] is None:
                raise CommandError(_("There is no “%(name)s”.") % {"name": options[name]})
    return named


def _change(verb: str, number: int) -> str:
    from imagepipe.workflow.queue_models import Quota, QuotaRequest
    from imagepipe.workflow.quota_actions import DecideRequest, RemoveQuota

    kind = Quota if verb == "remove" else QuotaRequest
    row = kind.objects.filter(pk=number).first()
    if row is None:
        raise CommandError(_("There is no “%(name)s”.") % {"name": number})
    said = str(row)
    if isinstance(row, Quota):
        RemoveQuota(row, None).execute()
        return said
    DecideRequest(row, None, grant=verb == "grant").execute()
    return f"{said}: {row.get_state_display()}"


def _none_named(verb: str) -> list[int]:
    listing = "list" if verb == "remove" else "requests"
    raise CommandError(_("Name a number; “imagepipe quota %s” shows them.") % listing)
