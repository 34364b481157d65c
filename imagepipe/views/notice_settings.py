"""On the page of one's account: what to be told of by e-mail."""

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
from imagepipe.workflow.quota_actions import MAY_DECIDE


class NoticeForm(forms.ModelForm):
    class Meta:
        model = NoticePreference
        fields = ("email", "quota_requests")

    def __init__(self, *args: Any, instance: AbstractBaseUser, **kwargs: Any) -> None:
        self.user = instance
        preference = NoticePreference.objects.filter(user=instance).first()
        super().__init__(
            *args, instance=preference or NoticePreference(user=instance), **kwargs
        )
        if not may_any(instance, VERBS):
            del self.fields["email"]
        if not instance.has_perm(MAY_DECIDE):
            del self.fields["quota_requests"]

    def save(self) -> None:
        if self.has_changed():
            SetNoticePreference(self.instance, self.user).execute()


class NoticeSettingsPanel(BaseSettingsPanel):
    """Shown to those who may do something in the Studio, or decide about quotas."""

    name = "imagepipe-notices"
    title = _("Runs")
    order = 250
    tab = notifications_tab
    form_class = NoticeForm

    def is_active(self) -> bool:
        return may_any(self.user, VERBS) or self.user.has_perm(MAY_DECIDE)
