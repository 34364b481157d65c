from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "address", ["/admin/nothing/", "/api/v2/nothing/", "/media/nothing.png", "/static/nothing"]
)
def test_what_is_not_there_is_not_looked_for_behind_a_language(
    client: Any, admin_user: Any, address: str
) -> None:
    client.force_login(admin_user)
    assert client.get(address).status_code == 404


@pytest.mark.parametrize(("accepted", "language"), [("de", "de"), ("en", "en"), ("fr", "en")])
def test_pages_are_found_in_the_readers_language(
    client: Any, accepted: str, language: str
) -> None:
    answer = client.get("/", headers={"Accept-Language": accepted})
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/{language}/")


def test_robots_name_both_sitemaps(client: Any) -> None:
    lines = client.get("/robots.txt").content.decode().splitlines()
    assert lines == [
        "User-agent: *",
        "Disallow: /admin/",
        "Sitemap: http://testserver/sitemap.xml",
        "Sitemap: http://testserver/sitemap-images.xml",
    ]
