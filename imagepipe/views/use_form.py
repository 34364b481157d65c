"""Taking a generated picture for the page that is being edited."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.utils.translation import gettext as _

from imagepipe.conf import get_settings
from imagepipe.views.access import verbs_on
from imagepipe.views.candidate_forms import AcceptForm
from imagepipe.workflow.models import Candidate, Run


class UseForm(AcceptForm):
    """Approve, describe, license and publish at once: only then can a page show the picture."""

    def __init__(self, candidate: Candidate, user: AbstractBaseUser, data: Any = None) -> None:
        super().__init__(candidate, user, data)
        self.auto_id = "id_imagepipe-use-%s"  # the page that is being edited has a title, too
        self.fields.pop("publish", None)
        self.fields["licence"].initial = _("Generated, own use")
        self.fields["rights_holder"].initial = get_settings().CREATOR or getattr(
            settings, "WAGTAIL_SITE_NAME", ""
        )
        for name in ("licence", "rights_holder"):
            self.fields[name].required = True
        for bound in self.alt_fields()[:1]:  # the main language comes first
            bound.field.required = True
            bound.field.error_messages["required"] = _(
                "Write what the picture shows: it cannot be published without."
            )

    def clean(self) -> dict[str, Any]:
        self.cleaned_data["publish"] = True
        return super().clean()


def obstacle_to_use(user: AbstractBaseUser, run: Run) -> str:
    """Why this person cannot take pictures of the run at once; empty where nothing hinders."""
    verbs = verbs_on(user, run)
    if not verbs["review"]:
        return _("You may not approve pictures yourself: these wait for review in the Studio.")
    if get_settings().FOUR_EYES and run.created_by_id == user.pk:
        return _(
            "Somebody else has to approve pictures that you asked for: these wait for review "
            "in the Studio."
        )
    if not (verbs["change"] and verbs["license"] and verbs["publish"]):
        return _(
            "You may not describe, license and publish pictures yourself: approve them in the "
            "Studio, and somebody else publishes them."
        )
    return ""
