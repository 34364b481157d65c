"""Prompt templates as snippets, with history and permissions of their own."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin.forms.models import WagtailAdminModelForm
from wagtail.admin.panels import ObjectList
from wagtail.admin.ui.tables import LiveStatusTagColumn
from wagtail.snippets.views.snippets import SnippetViewSet

from imagepipe.prompts.exceptions import InvalidTemplate
from imagepipe.prompts.models import SEGMENTS, PromptTemplate
from imagepipe.prompts.rendering import NAME, fill

MENU_HOOK = "register_imagepipe_menu_item"


class PromptTemplateForm(WagtailAdminModelForm):
    """Refuses stray braces and declarations that no variable goes with."""

    def clean(self) -> dict[str, Any]:
        values = super().clean()
        for segment in (*SEGMENTS, "negative"):
            try:
                fill(values.get(segment) or "", _Anything())
            except InvalidTemplate as error:
                self.add_error(segment, str(error))
        return values

    def clean_variables(self) -> list[dict[str, Any]]:
        variables = self.cleaned_data.get("variables") or []
        if not isinstance(variables, list):
            raise ValidationError(_('Write a list: [{"name": "subject", "label": "Subject"}].'))
        for entry in variables:
            if not isinstance(entry, dict) or not NAME.fullmatch(str(entry.get("name", ""))):
                raise ValidationError(
                    _("Each entry needs a name of small letters, digits and underscores.")
                )
            _check_choices(entry)
        return variables


def _check_choices(entry: dict[str, Any]) -> None:
    choices = entry.get("choices", [])
    if not isinstance(choices, list) or not all(isinstance(text, str) for text in choices):
        raise ValidationError(
            _("The choices of “%(name)s” must be a list of texts.") % {"name": entry["name"]}
        )
    default = entry.get("default", "")
    if not isinstance(default, str) or (choices and default and default not in choices):
        raise ValidationError(
            _("The default of “%(name)s” must be a text, and one of its choices.")
            % {"name": entry["name"]}
        )


class _Anything(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return name


class PromptTemplateViewSet(SnippetViewSet):
    model = PromptTemplate
    icon = "doc-full"
    menu_label = gettext_lazy("Prompt templates")
    menu_hook = MENU_HOOK
    menu_order = 400
    edit_handler = ObjectList(PromptTemplate.panels, base_form_class=PromptTemplateForm)
    list_display = [
        "name", "model", "width", "height", "seed_policy", LiveStatusTagColumn(),
    ]  # fmt: skip
    list_filter = ["model", "seed_policy"]
    search_fields = ["name", "description", "subject"]
    search_backend_name = None
    copy_view_enabled = True
    inspect_view_enabled = False
