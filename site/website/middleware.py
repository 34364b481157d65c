from __future__ import annotations

from django.http import HttpRequest, HttpResponseBase
from django.middleware.locale import LocaleMiddleware

WITHOUT_LANGUAGE = (
    "/admin/", "/api/", "/documents/", "/imagepipe/", "/images/", "/media/", "/static/",
)  # fmt: skip


class PageLocaleMiddleware(LocaleMiddleware):
    """Leads addresses of pages to a language; a 404 of the admin or of an API stays one.

    Django tries every unknown address again behind a language, and Wagtail's pages match all.
    """

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        if response.status_code == 404 and request.path_info.startswith(WITHOUT_LANGUAGE):
            return response
        return super().process_response(request, response)
