"""Saying no: a reason from the list and words of one's own."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from imagepipe.review.models import Review


class RejectForm(forms.Form):
    """Why a candidate or a version is turned down."""

    reason = forms.ChoiceField(
        label=_("Reason"),
        choices=Review.Reason.choices,
        error_messages={"invalid_choice": _("Choose a reason from the list.")},
    )
    note = forms.CharField(
        label=_("Note"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("What should be better next time."),
    )


class WithdrawForm(forms.Form):
    """Why a published picture is taken away."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=255,
        widget=forms.TextInput,
        error_messages={"required": _("Say why the picture is withdrawn.")},
    )


def first_error(form: forms.Form) -> str:
    """One sentence for a form that is not shown again."""
    return next(str(error) for errors in form.errors.values() for error in errors)
