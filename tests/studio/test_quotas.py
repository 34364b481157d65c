"""Quotas in the admin: who sets and removes them, and how who is refused asks for more."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from django.urls import reverse
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from imagepipe.audit.models import AuditEvent
from imagepipe.workflow.models import Run
from imagepipe.workflow.notice_actions import asked_for
from imagepipe.workflow.queue_models import NoticePreference, Quota, QuotaRequest

pytestmark = pytest.mark.django_db
LISTING = reverse("imagepipe_admin:quotas")
ADD = reverse("imagepipe_admin:quota_add")
EACH = {"user": "", "group": "", "site": "", "unit": "pictures", "period": "week"}


def page(name: str, quota: Quota) -> str:
    return reverse(f"imagepipe_admin:{name}", args=[quota.pk])


@pytest.fixture
def decider(browse, person) -> Client:
    user = person("dora")
    user.user_permissions.add(Permission.objects.get(codename="change_quota"))
    return browse(user)


def test_a_quota_is_made_changed_and_removed_and_the_trail_tells_of_it(decider):
    assertContains(decider.get(LISTING), "There is no quota")
    assertRedirects(decider.post(ADD, EACH | {"amount": 40}), LISTING)
    quota = Quota.objects.get()
    assert (quota.unit, quota.amount, quota.user, quota.site) == ("pictures", 40, None, None)
    assertContains(decider.get(LISTING), "Each user")
    assertContains(decider.get(page("quota", quota)), 'value="40"')
    decider.post(page("quota", quota), EACH | {"amount": 60})
    chain = f"quota:{quota.pk}"
    assertContains(
        decider.post(page("quota_remove", quota), follow=True), "60 Pictures / Week"
    )
    assert not Quota.objects.exists()
    events = AuditEvent.objects.filter(chain=chain).values_list("action", "data__amount")
    assert list(events) == [
        ("imagepipe.quota.set", 40),
        ("imagepipe.quota.set", 60),
        ("imagepipe.quota.remove", 60),
    ]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"amount": ""}, "This field is required"),
        ({"amount": -1}, "greater than or equal to 0"),
        ({"amount": 10**10}, "less than or equal to"),
        ({"amount": 1, "unit": "ships"}, "Select a valid choice"),
        ({"amount": 1, "user": "me", "group": "team"}, "not two of them"),
        ({"amount": 1, "period": "month"}, "There is a quota of this unit and period"),
    ],
)
def test_what_is_wrong_with_a_quota_is_said(decider, changes, said):
    Quota.objects.create(unit="pictures", period="month", amount=5)
    team = Group.objects.create(name="Team")
    pks = {"me": User.objects.get(username="dora").pk, "team": team.pk}
    values = EACH | {name: pks.get(value, value) for name, value in changes.items()}
    assertContains(decider.post(ADD, values), said)
    assert Quota.objects.count() == 1


def test_who_may_not_decide_about_quotas_neither_sees_nor_changes_them(browse, person):
    client = browse(person("gina", "generate", "review", "publish"))
    quota = Quota.objects.create(unit="runs", amount=5)
    for address in (LISTING, ADD, page("quota", quota)):
        assertRedirects(client.get(address), reverse("wagtailadmin_home"))
    client.post(ADD, EACH | {"amount": 1})
    client.post(page("quota", quota), EACH | {"amount": 1})
    client.post(page("quota_remove", quota))
    assert [(row.unit, row.amount) for row in Quota.objects.all()] == [("runs", 5)]


def test_who_is_refused_asks_for_more_with_one_click(browse, person, template):
    user = person("gina", "generate")
    client = browse(user)
    quota = Quota.objects.create(unit="pictures", period="week", amount=2)
    brief = {
        "title": "Tea", "template": template.pk, "variable_subject": "tea", "candidates": 4,
        "priority": 0, "prompt": "", "negative": "",
    }  # fmt: skip
    refused = client.post(reverse("imagepipe_admin:generate"), brief)
    assert not Run.objects.exists()
    assertContains(refused, "0 of 2")
    assertContains(refused, page("quota_ask", quota))
    assertContains(client.get(page("quota_ask", quota)), "0 of 2 (Pictures) are used")
    assertContains(client.post(page("quota_ask", quota), {"amount": 3}), "required")
    asking = {"amount": 3, "reason": "<i>Fair</i>"}
    assertContains(client.post(page("quota_ask", quota), asking, follow=True), "have asked")
    request = QuotaRequest.objects.get()
    assert (request.user, request.amount, request.reason) == (user, 3, "<i>Fair</i>")
    assertContains(client.post(page("quota_ask", quota), asking), "asked already")


def test_nobody_asks_for_more_of_the_quota_of_somebody_else(browse, person):
    client = browse(person("gina", "generate"))
    quota = Quota.objects.create(unit="runs", amount=5, user=User.objects.create_user("x"))
    assertRedirects(client.get(page("quota_ask", quota)), reverse("wagtailadmin_home"))
    client.post(page("quota_ask", quota), {"amount": 3, "reason": "x"})
    assert not QuotaRequest.objects.exists()


def test_more_like_this_refused_by_a_quota_says_so_and_twice_pressed_makes_one_run(
    admin, editor, start, finish
):
    run = finish(start(candidates=1))
    address = reverse("imagepipe_admin:candidate_vary", args=[run.candidates.get().uid])
    for _time in range(2):
        admin.post(address, {"csrfmiddlewaretoken": "sheet"})
    assert Run.objects.count() == 2
    admin.post(address, {"csrfmiddlewaretoken": "another sheet"})
    assert Run.objects.count() == 3
    quota = Quota.objects.create(unit="runs", period="week", amount=3)
    refused = admin.post(address, {"csrfmiddlewaretoken": "a third"}, follow=True)
    assertContains(refused, page("quota_ask", quota))
    assert Run.objects.count() == 3


def test_who_always_wants_e_mail_is_told_of_the_runs_that_they_start(admin, editor, start):
    account = reverse("wagtailadmin_account")
    assertContains(admin.get(account), "E-mail me at the end of each run")
    quiet = start()
    profile = {
        "name_email-first_name": "E", "name_email-last_name": "D",
        "name_email-email": "editor@example.com", "imagepipe-notices-email": "on",
        "locale-preferred_language": "", "locale-current_time_zone": "UTC",
        "theme-theme": "system", "theme-contrast": "system", "theme-density": "default",
        "theme-keyboard_shortcuts": "on",
    }  # fmt: skip
    assertRedirects(admin.post(account, profile), account)
    assert NoticePreference.objects.get().email
    assert (asked_for(quiet), asked_for(start())) == ([], [editor.pk])
    profile.pop("imagepipe-notices-email")
    admin.post(account, profile)
    assert asked_for(start()) == []
    assertNotContains(admin.get(account), 'name="imagepipe-notices-email" checked')
