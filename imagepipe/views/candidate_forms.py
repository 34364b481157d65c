"""Approving a candidate, and whatever of the rest can be done at once."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from imagepipe.assets.actions import SetAltText
from imagepipe.assets.models import Asset, AssetVersion
from imagepipe.delivery.actions import PublishVersion
from imagepipe.rights.actions import SetRights
from imagepipe.rights.models import RightsRecord
from imagepipe.views.access import may, verbs_on
from imagepipe.views.alt_text_form import ALT_PREFIX, alt_text_fields, texts_of
from imagepipe.workflow.actions import AcceptCandidate
from imagepipe.workflow.lineage import edited_asset
from imagepipe.workflow.models import Candidate

RIGHTS = ("licence", "rights_holder", "credit", "persons")


class AcceptForm(forms.Form):
    """Title and, for those who may, alternative texts, rights and publication.

    Only what the person may do is asked for.
    """

    title = forms.CharField(label=gettext_lazy("Title"), max_length=255)
    as_version = forms.BooleanField(
        required=False,
        initial=True,
        help_text=gettext_lazy(
            "Pages show it once it is published. Otherwise it becomes a picture of its own."
        ),
    )
    licence = forms.CharField(
        label=gettext_lazy("Licence"),
        max_length=120,
        required=False,
        help_text=gettext_lazy("The terms under which the picture may be shown."),
    )
    rights_holder = forms.CharField(
        label=gettext_lazy("Rights holder"), max_length=200, required=False
    )
    credit = forms.CharField(label=gettext_lazy("Credit line"), max_length=200, required=False)
    persons = forms.ChoiceField(
        label=gettext_lazy("Persons in the picture"),
        choices=RightsRecord.Persons.choices,
        required=False,
        initial=RightsRecord.Persons.NONE,
    )
    publish = forms.BooleanField(
        label=gettext_lazy("Publish right away"),
        required=False,
        help_text=gettext_lazy("Needs rights and the alternative text of the main language."),
    )

    def __init__(self, candidate: Candidate, user: AbstractBaseUser, data: Any = None) -> None:
        super().__init__(data, initial={"title": candidate.run.title})
        self.candidate, self.user = candidate, user
        verbs = verbs_on(user, candidate.run)
        self.edited = edited_asset(candidate.run)
        if self.edited is None or not may(user, "generate", self.edited):
            self.edited = None
            del self.fields["as_version"]
        else:
            title = {"title": self.edited.title}
            self.fields["as_version"].label = _("As the next version of “%(title)s”") % title
        publish = self.fields.pop("publish")
        if verbs["change"]:
            self.fields.update(alt_text_fields({}))
        if not verbs["license"]:
            for name in RIGHTS:
                del self.fields[name]
        if verbs["publish"]:
            self.fields["publish"] = publish
        self._published = False

    def alt_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.fields if name.startswith(ALT_PREFIX)]

    def rights_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in RIGHTS if name in self.fields]

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        begun = any(values.get(name) for name in ("licence", "rights_holder", "credit"))
        if begun or values.get("publish"):
            for name in ("licence", "rights_holder"):
                if name in self.fields and not values.get(name):
                    self.add_error(name, _("Record licence and rights holder."))
        return values

    def accept(self) -> AssetVersion:
        """Approve, then describe, license and publish as far as filled in; all or nothing.

        Raises ``PermissionDenied`` and the errors of the actions.
        """
        values = self.cleaned_data
        onto = self.edited if values.get("as_version") else None
        accept = AcceptCandidate(
            self.candidate, self.user, title=values["title"], asset=onto
        )
        accept.prepare()
        with transaction.atomic():
            version = accept.execute()
            self._describe(version.asset, values)
            if values.get("publish"):
                PublishVersion(version, self.user).execute()
                self._published = True
        return version

    def _describe(self, asset: Asset, values: dict[str, Any]) -> None:
        texts = {code: text for code, text in texts_of(values).items() if text.strip()}
        if texts:
            SetAltText(asset, self.user, texts=texts).execute()
        if values.get("licence"):
            rights = {name: values[name] for name in RIGHTS if values.get(name)}
            SetRights(asset, self.user, values=rights).execute()

    def success_message(self) -> str:
        if self._published:
            return _("The picture was approved and published.")
        return _("The picture was approved. The list says what publication still needs.")
