from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe


@require_safe
def robots(request: HttpRequest) -> HttpResponse:
    """``robots.txt``: the way to both sitemaps."""
    sitemaps = ("/sitemap.xml", reverse("imagepipe:image_sitemap"))
    lines = ["User-agent: *", "Disallow: /admin/"]
    lines += [f"Sitemap: {request.build_absolute_uri(path)}" for path in sitemaps]
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")
