"""Importing a recipe from another tool: read it, say what was understood, fill in the form."""

from __future__ import annotations

import secrets
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views import View
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin

from imagepipe.conf import get_settings
from imagepipe.generation.interchange.foreign import ForeignRecipe, UnreadableRecipe
from imagepipe.generation.interchange.infotext import MAX_TEXT
from imagepipe.generation.interchange.reading import read, read_text
from imagepipe.views.access import may
from imagepipe.views.breadcrumbs import HOME, Crumbs, here
from imagepipe.views.expert_form import ExpertForm
from imagepipe.views.imported_models import allowed_checkpoints, match_model
from imagepipe.views.imported_rows import left_rows, taken_rows
from imagepipe.views.sentences import in_reader_language

SESSION_KEY = "imagepipe_imported_recipe"
TITLE_LENGTH = 80


class ImportForm(forms.Form):
    """A file or a text; reads neither beyond the bounds of this site."""

    file = forms.FileField(
        label=gettext_lazy("Picture or workflow file"),
        required=False,
        help_text=gettext_lazy(
            "PNG, JPEG, WebP, JSON or text, as A1111, Forge, ComfyUI, InvokeAI, SwarmUI or "
            "this site has written it."
        ),
        widget=forms.FileInput(
            attrs={
                "accept": "image/png,image/jpeg,image/webp,application/json,.json,.txt",
                "data-imagepipe-drop-target": "input",
                "data-action": "imagepipe-drop#chosen",
            }
        ),
    )
    text = forms.CharField(
        label=gettext_lazy("Or its text"),
        required=False,
        max_length=MAX_TEXT,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=gettext_lazy("What the other tool shows as generation data, or JSON."),
    )
    recipe: ForeignRecipe

    def clean_file(self) -> UploadedFile | None:
        file: UploadedFile | None = self.cleaned_data["file"]
        most = get_settings().MAX_UPLOAD_BYTES
        if file is not None and (file.size or 0) > most:
            raise ValidationError(
                _("The file is larger than %(size)s. Drop the picture as the tool wrote it.")
                % {"size": filesizeformat(most)}
            )
        return file

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        if self.errors:
            return given
        file, name = given.get("file"), "file"
        try:
            if file is not None:
                self.recipe = read(file.read())
            else:
                name = "text"
                self.recipe = read_text(given.get("text") or "")
        except UnreadableRecipe as error:
            self.add_error(name, in_reader_language(str(error)))
        return given


class ImportRecipeView(WagtailAdminTemplateMixin, View):
    """The form, and once something was read: what was understood and what was not."""

    page_title = gettext_lazy("Import a recipe")
    header_icon = "imagepipe-studio"
    template_name = "imagepipe/studio/import_recipe.html"

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        if not may(request.user, "generate"):
            raise PermissionDenied

    def get_breadcrumbs_items(self) -> Crumbs:
        return [*HOME, *here(self.page_title)]

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.render_to_response(self.get_context_data(form=ImportForm()))

    def post(self, request: HttpRequest) -> HttpResponse:
        form = ImportForm(request.POST, request.FILES)
        if not form.is_valid():
            return self.render_to_response(self.get_context_data(form=form))
        recipe = form.recipe
        token = remember(request, recipe)
        fields = set(ExpertForm(request.user, initial=form_values(recipe)).fields)
        context = self.get_context_data(
            form=ImportForm(),
            recipe=recipe,
            token=token,
            taken=taken_rows(recipe, fields),
            left=left_rows(recipe, fields),
            models=allowed_checkpoints(),
            matched=match_model(recipe),
        )
        return self.render_to_response(context)


def form_values(recipe: ForeignRecipe) -> dict[str, Any]:
    """What the Generate form is filled in with; it passes over what it has no field for."""
    title = " ".join(recipe.prompt.split())[:TITLE_LENGTH]
    values = {
        "title": title or _("Imported from %(tool)s") % {"tool": recipe.tool},
        "prompt": recipe.prompt,
        "negative": recipe.negative_prompt,
        "seed": recipe.seed,
        "width": recipe.width,
        "height": recipe.height,
        "steps": recipe.steps,
        "guidance": recipe.guidance,
        "scheduler": recipe.scheduler,
        "strength": recipe.strength,
        "candidates": 1,
    }
    found = {name: value for name, value in values.items() if value not in (None, "")}
    return found | {"template": ""}


def remember(request: HttpRequest, recipe: ForeignRecipe) -> str:
    """Keep the values for the form in the session, the latest recipe only; returns its name."""
    token = secrets.token_urlsafe(8)
    request.session[SESSION_KEY] = {"token": token, "values": form_values(recipe)}
    return token


def imported_values(request: HttpRequest) -> dict[str, Any]:
    """What the form starts with after an import; nothing for an unknown or older recipe."""
    kept = request.session.get(SESSION_KEY)
    if not isinstance(kept, dict) or kept.get("token") != request.GET.get("recipe"):
        return {}
    return dict(kept["values"]) | {"model": request.GET.get("model") or None}
