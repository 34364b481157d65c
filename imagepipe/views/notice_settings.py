"""On the page of one's account: whether to be told of the end of one's runs."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.models import AbstractBaseUser
from django.utils.translation import gettext_lazy as _
from wagtail.admin.views.account import BaseSettingsPanel, notifications_tab

from imagepipe.permissions import VERBS
from imagepipe.views.access import may_any
from imagepipe.workflow.notice_actions import SetNoticePreference
from imagepipe.workflow.queue_models import NoticePreference


class NoticeForm(forms.Form):
    email = forms.BooleanField(
        required=False, label=_("E-mail me at the end of each run that I start")
    )

    def __init__(self, *args: Any, instance: AbstractBaseUser, **kwargs: Any) -> None:
        self.user = instance
        self.preference = NoticePreference.objects.filter(
            user=instance
        ).first() or NoticePreference(user=instance)
        super().__init__(*args, initial={"email": self.preference.email}, **kwargs)

    def save(self) -> None:
        if self.has_changed():
            self.preference.email = self.cleaned_data["email"]
            SetNoticePreference(self.preference, self.user).execute()


class NoticeSettingsPanel(BaseSettingsPanel):
    """Shown to those who may do something in the Studio."""

    name = "imagepipe-notices"
    title = _("Runs")
    order = 250
    tab = notifications_tab
    form_class = NoticeForm

    def is_active(self) -> bool:
        return may_any(self.user, VERBS)
