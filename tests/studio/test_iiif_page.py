from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse
from pytest_django.asserts import assertContains, assertNotContains

from imagepipe.assets.models import Asset

pytestmark = pytest.mark.django_db


def test_a_publisher_opens_and_closes_the_picture(admin: Any, published: Asset) -> None:
    page = reverse("imagepipe_admin:asset", args=[published.uid])
    switch = reverse("imagepipe_admin:asset_iiif", args=[published.uid])
    address = f"http://127.0.0.1:8001/iiif/3/{published.uid.hex}/info.json"
    assertNotContains(admin.get(page), address)

    response = admin.post(switch, {"open": "1"}, follow=True)

    assertContains(response, "The picture is open to viewers.")
    assertContains(response, f'<a href="{address}"')
    assertContains(response, "Opened or closed to viewers")
    assertContains(admin.post(switch, {"open": "1"}, follow=True), "open to viewers already")
    assertNotContains(admin.post(switch, follow=True), address)
    published.refresh_from_db()
    assert published.iiif is False
    assert admin.get(switch).status_code == 405


def test_others_see_the_state_and_no_switch(
    browse: Any, person: Any, published: Asset
) -> None:
    client = browse(person("reader", "view", "change", "license"))
    switch = reverse("imagepipe_admin:asset_iiif", args=[published.uid])

    page = client.get(reverse("imagepipe_admin:asset", args=[published.uid]))
    refused = client.post(switch, {"open": "1"})

    assertContains(page, "Closed: pages show it")
    assertNotContains(page, switch)
    assert refused.status_code in (302, 403)
    published.refresh_from_db()
    assert published.iiif is False
