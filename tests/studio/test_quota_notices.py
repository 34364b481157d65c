"""Who decides about quotas hears of requests; who has asked hears of the decision."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission, User
from django.core import mail
from django.test import TestCase
from django.urls import reverse
from pytest_django.asserts import assertContains, assertNotContains
from wagtail.users.models import UserProfile

from imagepipe.workflow.notice_actions import SetNoticePreference
from imagepipe.workflow.queue_models import NoticePreference, Quota, QuotaRequest
from imagepipe.workflow.quota_actions import DecideRequest, RequestMore

pytestmark = pytest.mark.django_db


@pytest.fixture
def dora(person) -> User:
    """May decide, and nothing else."""
    user = person("dora")
    user.user_permissions.add(Permission.objects.get(codename="change_quota"))
    return user


def ask(user: User, reason: str = "Christmas") -> QuotaRequest:
    quota = Quota.objects.create(user=user, unit="runs", amount=1)
    with TestCase.captureOnCommitCallbacks(execute=True):
        return RequestMore(quota, user, amount=5, reason=reason).execute()


def test_those_who_decide_get_an_e_mail_and_nobody_else(dora, person):
    person("ed", "generate")
    gone = User.objects.create_superuser("gone", "gone@example.com", "x", is_active=False)
    User.objects.create_superuser("mute", "", "x")
    ask(person("ann", "generate"))
    assert not gone.is_active
    [message] = mail.outbox
    assert message.to == ["dora@example.com"]
    assert message.subject == "ann asks for 5 more"
    for words in ("1 Runs / Month", "Christmas", reverse("imagepipe_admin:quota_requests")):
        assert words in message.body


def test_who_decides_and_asks_for_themselves_is_not_told_of_that(dora):
    ask(dora)
    assert mail.outbox == []


def test_it_can_be_switched_off_by_those_whom_it_concerns(dora, person, browse):
    account = reverse("wagtailadmin_account")
    assertContains(browse(dora).get(account), "when somebody asks for more than a quota")
    ann = person("ann", "generate")
    page = browse(ann).get(account)
    assertNotContains(page, "when somebody asks for more than a quota")
    assertContains(page, "E-mail me at the end of each run")
    preference = NoticePreference(user=dora, quota_requests=False)
    SetNoticePreference(preference, dora).execute()
    ask(ann)
    assert mail.outbox == []
    assert not NoticePreference.objects.get(user=dora).email


def test_who_asked_is_told_of_the_decision_in_their_language(dora, person):
    ann, bob = person("ann", "generate"), person("bob", "generate")
    UserProfile.objects.create(user=ann, preferred_language="de")
    first, second = ask(ann), ask(bob)
    mail.outbox.clear()
    with TestCase.captureOnCommitCallbacks(execute=True):
        DecideRequest(first, dora, grant=True).execute()
        DecideRequest(second, dora, grant=False).execute()
    granted, refused = mail.outbox
    assert (granted.to, refused.to) == (["ann@example.com"], ["bob@example.com"])
    assert granted.subject == "Ihnen wurden 5 mehr gewährt"
    assert refused.subject == "You were not granted more"


def test_a_name_cannot_add_headers_and_a_broken_mail_server_loses_no_request(
    dora, person, settings
):
    ann = person("ann", "generate")
    User.objects.filter(pk=ann.pk).update(username="ann\r\nBcc: eve@example.com")
    ann.refresh_from_db()
    ask(ann)
    assert mail.outbox[0].recipients() == ["dora@example.com"]
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_PORT = 1
    assert ask(person("ben", "generate")).state == QuotaRequest.State.OPEN
