"""Generation profiles as snippets, with history, workflow and permissions of their own."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin.forms.models import WagtailAdminModelForm
from wagtail.admin.panels import ObjectList
from wagtail.admin.ui.tables import LiveStatusTagColumn
from wagtail.snippets.views.snippets import SnippetViewSet

from imagepipe.prompts.models import SeedPolicy
from imagepipe.prompts.profile_models import GenerationProfile
from imagepipe.views.prompt_templates import MENU_HOOK
from imagepipe.workflow.briefs import MAX_SEED, MAX_SIDE, MAX_STEPS
from imagepipe.workflow.production import MAX_CANDIDATES

RANGES = {
    "width": (16, MAX_SIDE),
    "height": (16, MAX_SIDE),
    "steps": (1, MAX_STEPS),
    "guidance": (0, 100),
    "seed": (0, MAX_SEED - MAX_CANDIDATES),
}


class GenerationProfileForm(WagtailAdminModelForm):
    """Refuses numbers that no run would take, and a policy without what it needs."""

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean()
        for name, (lowest, highest) in RANGES.items():
            value = values.get(name)
            if value is not None and not lowest <= value <= highest:
                self.add_error(
                    name,
                    _("A number from %(lowest)s to %(highest)s is possible.")
                    % {"lowest": lowest, "highest": highest},
                )
        sized = not {"width", "height"} & set(self.errors)
        if sized and (values.get("width") is None) != (values.get("height") is None):
            self.add_error("height", _("Give width and height, or neither."))
        fixed = values.get("seed_policy") in (SeedPolicy.FIXED, SeedPolicy.SERIES)
        if fixed and values.get("seed") is None and "seed" not in self.errors:
            self.add_error("seed", _("This seed policy needs a seed."))
        if not fixed and values.get("seed") is not None:
            self.add_error("seed", _("Choose the policy “Fixed” or “Series” with a seed."))
        return values


class GenerationProfileViewSet(SnippetViewSet):
    model = GenerationProfile
    icon = "sliders"
    menu_label = gettext_lazy("Generation profiles")
    menu_hook = MENU_HOOK
    menu_order = 410
    edit_handler = ObjectList(GenerationProfile.panels, base_form_class=GenerationProfileForm)
    list_display = [
        "name", "model", "width", "height", "seed_policy", LiveStatusTagColumn(),
    ]  # fmt: skip
    list_filter = ["model", "seed_policy"]
    search_fields = ["name", "description"]
    search_backend_name = None
    copy_view_enabled = True
    inspect_view_enabled = False
