"""Who asked is told of the end of a run; nobody else."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.test import TestCase
from django.urls import reverse
from pytest_django.asserts import assertContains, assertNotContains
from wagtail.users.models import UserProfile

from imagepipe.events.bus import RunEnded
from imagepipe.views.notices import tell_of_end
from imagepipe.workflow.actions import CancelRun, RetryRun
from imagepipe.workflow.models import Run, RunState
from imagepipe.workflow.notice_actions import AskForNotice, asked_for

pytestmark = pytest.mark.django_db


def ask(client, run: Run):
    return client.post(reverse("imagepipe_admin:run_notice", args=[run.uid]), follow=True)


def test_nobody_is_told_who_did_not_ask(run, finish):
    with TestCase.captureOnCommitCallbacks(execute=True):
        finish(run)
    assert mail.outbox == []


def test_who_asked_gets_one_e_mail_with_the_result(admin, editor, run, finish):
    assertContains(ask(admin, run), "You will get an e-mail when the run has ended.")
    with TestCase.captureOnCommitCallbacks(execute=True):
        finish(run)
    [message] = mail.outbox
    assert message.to == [editor.email]
    assert message.subject == "Teapot: Finished"
    assert "2 pictures wait for a decision." in message.body
    assert reverse("imagepipe_admin:run", args=[run.uid]) in message.body
    assert message.body.count("http://127.0.0.1:8000/admin/") == 1


def test_asking_again_takes_it_back(admin, editor, run):
    ask(admin, run)
    page = ask(admin, run)
    assertContains(page, "You will get no e-mail about this run.")
    assertContains(page, "E-mail me at the end")
    with TestCase.captureOnCommitCallbacks(execute=True):
        CancelRun(run, editor).execute()
    assert mail.outbox == []


def test_the_e_mail_is_in_the_language_of_its_reader(editor, run, finish):
    UserProfile.objects.create(user=editor, preferred_language="de")
    AskForNotice(run, editor).execute()
    with TestCase.captureOnCommitCallbacks(execute=True):
        finish(run)
    assert "2 Bilder warten auf eine Entscheidung." in mail.outbox[0].body


def test_a_title_cannot_add_headers_or_recipients(editor, run):
    AskForNotice(run, editor).execute()
    title = "Tea\r\nBcc: eve@example.com"
    Run.objects.update(title=title, state=RunState.FAILED, error="It broke.")
    tell_of_end(RunEnded(run.uid.hex))
    [message] = mail.outbox
    assert message.subject == "Tea Bcc: eve@example.com: Failed"
    assert message.recipients() == [editor.email]
    assert "It broke." in message.body


def test_who_may_not_see_the_run_any_more_is_not_told(person, run):
    greta = person("greta", "generate")
    AskForNotice(run, greta).execute()
    greta.groups.clear()
    tell_of_end(RunEnded(run.uid.hex))
    User.objects.filter(pk=greta.pk).update(is_active=False)
    tell_of_end(RunEnded(run.uid.hex))
    assert mail.outbox == []


def test_a_repeated_run_tells_the_same_people(editor, run):
    AskForNotice(run, editor).execute()
    CancelRun(run, editor).execute()
    assert asked_for(RetryRun(run, editor).execute()) == [editor.pk]


def test_a_broken_mail_server_breaks_no_run(editor, run, finish, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    AskForNotice(run, editor).execute()
    with TestCase.captureOnCommitCallbacks(execute=True):
        assert finish(run).state == RunState.SUCCEEDED


def test_who_may_only_look_cannot_ask(browse, person, run):
    client = browse(person("vera", "view"))
    assert ask(client, run).status_code == 200  # led away, with a message
    run.refresh_from_db()
    assert asked_for(run) == []
    assertNotContains(
        client.get(reverse("imagepipe_admin:run", args=[run.uid])), "E-mail me at the end"
    )


def test_an_account_without_an_address_is_told_so(admin, editor, run):
    User.objects.filter(pk=editor.pk).update(email="")
    assertContains(ask(admin, run), "Your account has no e-mail address.")
    run.refresh_from_db()
    assert asked_for(run) == []


def test_the_dashboard_shows_what_still_wants_something(admin, browse, person, finished):
    page = admin.get(reverse("wagtailadmin_home"))
    assertContains(page, "Your runs")
    assertContains(page, "2 pictures to decide")
    assertNotContains(
        browse(person("boss", "view", "generate")).get(reverse("wagtailadmin_home")),
        "Your runs",
    )
    finished.candidates.update(state="rejected")
    assertNotContains(admin.get(reverse("wagtailadmin_home")), "Your runs")
    Run.objects.update(state=RunState.FAILED)
    assertContains(admin.get(reverse("wagtailadmin_home")), finished.title)
