"""Who is told of what: of the end of a run those who asked, of requests those who decide."""

from __future__ import annotations

from django.contrib.auth.models import AbstractBaseUser
from django.utils.translation import gettext as _

from imagepipe.actions.base import Action
from imagepipe.exceptions import InvalidState
from imagepipe.workflow.models import FINISHED, Run
from imagepipe.workflow.queue_models import NoticePreference

KEY = "notify"
"""In ``Run.request``: the keys of the users to be told. A repeated run keeps them."""
AT_MOST = 20


class AskForNotice(Action[Run, Run]):
    """Tell the user by e-mail when the run has ended; asking again takes it back.

    The system, which nobody can write to, takes back what all others have asked for.
    """

    action_name = "imagepipe.run.ask_for_notice"
    permission_policy_action = "generate"

    def perform(self) -> Run:
        run = Run.objects.select_for_update().get(pk=self.instance.pk)
        if run.state in FINISHED:
            raise InvalidState(_("The run has ended already."))
        asked = asked_for(run) if self.user is not None else []
        if self.user is not None and self.user.pk in asked:
            asked.remove(self.user.pk)
        elif len(asked) >= AT_MOST:
            raise InvalidState(_("Enough people are told of this run."))
        elif self.user is not None:
            asked.append(self.user.pk)
        request = run.request if isinstance(run.request, dict) else {}
        Run.objects.filter(pk=run.pk).update(request=request | {KEY: asked})
        self.audit_data = {"people": len(asked)}
        self.instance.refresh_from_db()
        return self.instance


class SetNoticePreference(Action[NoticePreference, NoticePreference]):
    """Be told of each run that one starts from now on, and of requests for more, or not."""

    action_name = "imagepipe.notices.set_preference"
    permission_policy_action = "own"

    def user_has_permission(self) -> bool:
        """Everybody decides for themselves."""
        return self.user is not None and self.instance.user_id == self.user.pk

    def perform(self) -> NoticePreference:
        preference, _created = NoticePreference.objects.update_or_create(
            user=self.instance.user,
            defaults={
                "email": self.instance.email,
                "quota_requests": self.instance.quota_requests,
            },
        )
        self.instance.pk = preference.pk
        self.audit_data = {
            "email": preference.email,
            "quota_requests": preference.quota_requests,
        }
        return preference


def always_wanted(user: AbstractBaseUser | None) -> list[int]:
    """Return the keys of those to be told of a run that ``user`` starts."""
    wants = user is not None and (
        NoticePreference.objects.filter(user=user, email=True).exists()
    )
    return [user.pk] if user is not None and wants else []


def asked_for(run: Run) -> list[int]:
    """Return the keys of the users who want to be told of the run's end."""
    asked = run.request.get(KEY) if isinstance(run.request, dict) else None
    return [pk for pk in asked if isinstance(pk, int)] if isinstance(asked, list) else []
