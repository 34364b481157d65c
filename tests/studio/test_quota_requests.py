"""The page where requests for more are granted or refused, and who may."""

from __future__ import annotations

import datetime as dt

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects
from wagtail.admin.menu import admin_menu

from imagepipe.permissions import VERBS
from imagepipe.workflow import quotas
from imagepipe.workflow.queue_models import Quota, QuotaRequest
from imagepipe.workflow.quota_actions import RequestMore

pytestmark = pytest.mark.django_db
PAGE = reverse("imagepipe_admin:quota_requests")


def asks(name: str, amount: int = 5, reason: str = "Christmas") -> QuotaRequest:
    user = User.objects.create_user(name)
    quota = Quota.objects.create(user=user, unit="runs", amount=1)
    return RequestMore(quota, user, amount=amount, reason=reason).execute()


def decide(client: Client, request: QuotaRequest, decision: str):
    address = reverse("imagepipe_admin:quota_decide", args=[request.pk])
    return client.post(address, {"decision": decision}, follow=True)


@pytest.fixture
def decider(browse, person) -> Client:
    """May decide about quotas, and nothing else."""
    user = person("dora")
    user.user_permissions.add(Permission.objects.get(codename="change_quota"))
    return browse(user)


def test_who_may_decide_grants_and_refuses(decider):
    first, second = asks("ann"), asks("bob", 7, "<b>Fair</b>")
    page = decider.get(PAGE)
    for words in ("ann", "bob", "1 Runs / Month", "Christmas", "&lt;b&gt;Fair"):
        assertContains(page, words)
    assertContains(decide(decider, first, "grant"), "ann was granted 5 more.")
    page = decide(decider, second, "refuse")
    assertContains(page, "bob was refused.")
    assertContains(page, "Nobody asks for more")
    for request, state, allowed in ((first, "granted", 6), (second, "refused", 1)):
        request.refresh_from_db()
        assert (request.state, request.decided_by.username) == (state, "dora")
        assert quotas.allowed(request.quota, request.user) == allowed


def test_who_may_not_decide_sees_and_changes_nothing(browse, person):
    request = asks("ann")
    eve = browse(person("eve", *VERBS))
    for page in (eve.get(PAGE), eve.get(f"{PAGE}results/")):
        assertRedirects(page, reverse("wagtailadmin_home"), fetch_redirect_response=False)
    page = decide(eve, request, "grant")
    assertContains(page, "you do not have permission")
    request.refresh_from_db()
    assert (request.state, request.decided_at) == ("open", None)
    assert browse(None).get(PAGE).url.startswith("/admin/login/")


def test_a_request_is_decided_once_and_only_by_a_button(decider):
    request = asks("ann")
    assertContains(decide(decider, request, "perhaps"), "Choose “Grant” or “Refuse”.")
    decide(decider, request, "refuse")
    assertContains(decide(decider, request, "grant"), "decided already")
    request.refresh_from_db()
    assert request.state == "refused"
    address = reverse("imagepipe_admin:quota_decide", args=[request.pk])
    assert decider.get(address).status_code == 405
    assert decider.post(f"{PAGE}{10**30}/", {"decision": "grant"}).status_code == 404


def test_what_has_run_out_is_not_offered(decider):
    asks("ann")
    QuotaRequest.objects.update(valid_until=timezone.now() - dt.timedelta(seconds=1))
    assertNotContains(decider.get(PAGE), "ann")


def test_many_requests_cost_no_more_queries(decider):
    asks("ann")

    def queries() -> int:
        with CaptureQueriesContext(connection) as context:
            assert decider.get(PAGE).status_code == 200
        return len(context)

    queries()
    few = queries()
    for number in range(5):
        asks(f"u{number}")
    assert queries() == few


def test_the_menu_and_the_group_form_know_it(rf, decider, person, admin):
    studio = next(i for i in admin_menu.registered_menu_items if i.name == "imagepipe-studio")

    def entries(user: User) -> set[str]:
        request = rf.get("/")
        request.user = user
        return {item.name for item in studio.menu.menu_items_for_request(request)}

    assert entries(User.objects.get(username="dora")) == {
        "imagepipe-quota-requests",
        "imagepipe-quotas",
    }
    assert "imagepipe-quota-requests" not in entries(person("eve", *VERBS))
    permission = Permission.objects.get(codename="change_quota")
    form = admin.get(reverse("wagtailusers_groups:add"))
    assertContains(form, f'name="permissions" value="{permission.pk}"')
