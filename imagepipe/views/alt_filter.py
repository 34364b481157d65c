"""Which alternative texts are worked on."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.coreutils import get_content_languages
from wagtail.models import Collection
from wagtail.permissions import policy_registry

from imagepipe.assets.models import Asset
from imagepipe.seo.alt_text import worklist


def changeable_assets(user: Any) -> QuerySet[Asset]:
    """What a person may describe."""
    return policy_registry.get_by_type(Asset).instances_user_has_permission_for(user, "change")


class WorkFilter(forms.Form):
    """Which texts are worked on; every field may be left open."""

    language = forms.ChoiceField(label=gettext_lazy("Language"), required=False)
    reason = forms.ChoiceField(
        label=gettext_lazy("Why"),
        required=False,
        choices=[("", gettext_lazy("All reasons")), *worklist.REASONS.items()],
    )
    collection = forms.ModelChoiceField(
        Collection.objects.none(),
        label=gettext_lazy("Collection"),
        required=False,
        empty_label=gettext_lazy("All collections"),
    )

    def __init__(self, user: Any, data: Any) -> None:
        super().__init__(data)
        self.assets = changeable_assets(user)
        names = dict(get_content_languages())
        languages = [(code, names[code]) for code in worklist.site_languages()]
        self.fields["language"].choices = [("", _("All languages")), *languages]
        places = Collection.objects.filter(pk__in=self.assets.values("collection"))
        self.fields["collection"].queryset = places
        self.is_valid()

    @property
    def chosen(self) -> tuple[QuerySet[Asset], list[str], list[str]]:
        """Assets, reasons and languages; what was not understood is left open."""
        values = self.cleaned_data
        assets = self.assets
        if place := values.get("collection"):
            assets = assets.filter(collection__in=place.get_descendants(inclusive=True))
        reason, language = values.get("reason"), values.get("language")
        return (
            assets,
            [reason] if reason else list(worklist.REASONS),
            [language] if language else list(worklist.site_languages()),
        )

    @property
    def query(self) -> str:
        return urlencode({name: self[name].value() or "" for name in self.fields})
