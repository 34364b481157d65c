"""Who may enter a page of the Studio at all, and who sees it in the menu."""

from __future__ import annotations

from typing import Any, ClassVar

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from wagtail.admin.menu import MenuItem

from imagepipe.permissions import VERBS
from imagepipe.views.access import may_any


class PermittedMixin:
    """Refuses those who hold none of ``any_verb`` in any collection."""

    any_verb: ClassVar[tuple[str, ...]] = VERBS

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not may_any(request.user, self.any_verb):
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)


class PermittedMenuItem(MenuItem):
    """Shown to those who hold one of ``verbs`` somewhere."""

    def __init__(self, *args: Any, verbs: tuple[str, ...] = VERBS, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.verbs = verbs

    def is_shown(self, request: HttpRequest) -> bool:
        return may_any(request.user, self.verbs)
