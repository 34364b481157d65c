"""The form for alternative texts, one field per language of the site."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from wagtail.coreutils import get_content_languages

from imagepipe.assets.actions import MAX_ALT_TEXT
from imagepipe.delivery.alternatives import default_codes
from imagepipe.views.shown_values import ShownValues

ALT_PREFIX = "alt_"
CONFIRM_PREFIX = "confirm_"


def alt_text_fields(texts: Mapping[str, str]) -> dict[str, forms.Field]:
    """One field per content language; the site's main language comes first."""
    languages = dict(get_content_languages())
    main = next((code for code in default_codes() if code in languages), "")
    codes = sorted({*languages, *texts}, key=lambda code: (code != main, code))
    return {ALT_PREFIX + code: _field(code, languages, texts, code == main) for code in codes}


def _field(
    code: str, languages: Mapping[str, str], texts: Mapping[str, str], main: bool
) -> forms.Field:
    return forms.CharField(
        label=_("Alternative text (%(language)s)") % {"language": languages.get(code, code)},
        required=False,
        max_length=MAX_ALT_TEXT,
        initial=texts.get(code, ""),
        widget=forms.Textarea(attrs={"rows": 2, "lang": code}),
        help_text=_("What the picture shows, for those who cannot see it.") if main else "",
    )


class AltTextForm(ShownValues, forms.Form):
    """All alternative texts of an asset; an empty one removes that language."""

    def __init__(
        self,
        texts: Mapping[str, str],
        data: Any = None,
        *,
        outdated: Collection[str] = (),
        generated: Collection[str] = (),
    ) -> None:
        super().__init__(data)
        self.fields.update(alt_text_fields(texts))
        names = dict(get_content_languages())
        for code in sorted({*outdated, *generated}):
            self.fields[ALT_PREFIX + code].help_text = (
                _("Written for an earlier version. Does it still say what the picture shows?")
                if code in outdated
                else _("Generated, and seen by nobody yet.")
            )
            self.fields[CONFIRM_PREFIX + code] = forms.BooleanField(
                label=_("The text (%(language)s) is right as it is")
                % {"language": names.get(code, code)},
                required=False,
            )
        self.remember_shown()

    @property
    def texts(self) -> dict[str, str]:
        """What ``SetAltText`` takes: the texts that were changed or confirmed."""
        confirmed = {
            name.removeprefix(CONFIRM_PREFIX): self.fields[
                ALT_PREFIX + name.removeprefix(CONFIRM_PREFIX)
            ].initial
            for name, is_right in self.cleaned_data.items()
            if name.startswith(CONFIRM_PREFIX) and is_right
        }
        return {code: text for code, text in confirmed.items() if text} | texts_of(
            self.edited()
        )


def texts_of(values: Mapping[str, Any]) -> dict[str, str]:
    """Pick the alternative texts out of cleaned data."""
    return {
        name.removeprefix(ALT_PREFIX): text
        for name, text in values.items()
        if name.startswith(ALT_PREFIX)
    }
