"""The form of one quota: for whom, how much, in which period."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser, Group
from django.core.validators import MaxValueValidator
from django.utils.translation import gettext_lazy as _
from wagtail.models import Site

from imagepipe.conf import get_settings
from imagepipe.workflow.queue_models import Quota
from imagepipe.workflow.quota_actions import SetQuota

HIGHEST = 1_000_000_000


class QuotaForm(forms.ModelForm):
    """Saved by an action; who it is for stays as it is once there are requests for it."""

    class Meta:
        model = Quota
        fields = ["user", "group", "site", "unit", "amount", "period"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people = get_user_model()._default_manager.filter(is_active=True)
        self.fields["user"].queryset = people.order_by(get_user_model().USERNAME_FIELD)
        self.fields["group"].queryset = Group.objects.order_by("name")
        self.fields["site"].queryset = Site.objects.order_by("hostname")
        self.fields["user"].help_text = _(
            "Leave user, group and site empty for a quota that each user has."
        )
        self.fields["unit"].help_text = _(
            "Money is in %(currency)s; what engines cost is said at the engines."
        ) % {"currency": get_settings().CURRENCY}
        for name in ("user", "group", "site"):
            self.fields[name].empty_label = "—"
        self.fields["amount"].validators.append(MaxValueValidator(HIGHEST))

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        chosen = [name for name in ("user", "group", "site") if values.get(name) is not None]
        for name in chosen[1:]:
            self.add_error(name, _("Choose a user or a group or a site, not two of them."))
        return values

    def execute(self, user: AbstractBaseUser) -> Quota:
        """Save; call it on a valid form. Raises ``InvalidState``."""
        return SetQuota(self.instance, user).execute()


class AskForm(forms.Form):
    """How much more, and why."""

    amount = forms.IntegerField(min_value=1, max_value=HIGHEST, label=_("How much more"))
    reason = forms.CharField(
        max_length=500, label=_("Reason"), widget=forms.Textarea(attrs={"rows": 3})
    )
