"""Templates are versioned by Wagtail: history, comparison and restoring."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from imagepipe.prompts.models import PromptTemplate

pytestmark = pytest.mark.django_db
BASE = "wagtailsnippets_imagepipe_prompttemplate"


def save(admin: Client, template: PromptTemplate, **changes: Any) -> None:
    fields = (
        "name", "slug", "description", "subject", "composition", "light", "style", "lens",
        "material", "postprocessing", "negative", "width", "height", "steps", "guidance",
        "seed_policy",
    )  # fmt: skip
    values = {name: getattr(template, name) for name in fields}
    values |= {"variables": "[]", "model": template.model_id, "seed": ""}
    values |= {"action-publish": "1"} | changes
    response = admin.post(reverse(f"{BASE}:edit", args=[template.pk]), values)
    assert response.status_code == 302, response.content.decode()[-3000:]
    template.refresh_from_db()


def test_two_versions_are_listed_compared_and_the_older_one_restored(
    admin: Client, template: PromptTemplate
) -> None:
    save(admin, template, light="soft light", steps=6)
    save(admin, template, light="hard light", steps=12)
    older, newer = template.revisions.order_by("pk")
    history = admin.get(reverse(f"{BASE}:history", args=[template.pk])).content.decode()
    compare = reverse(f"{BASE}:revisions_compare", args=[template.pk, older.pk, newer.pk])
    assert "Compare" in history
    page = admin.get(compare).content.decode()
    assert '<span class="deletion">soft</span><span class="addition">hard</span> light' in page
    restore = reverse(f"{BASE}:revisions_revert", args=[template.pk, older.pk])
    form = admin.get(restore).content.decode()
    assert 'value="soft light"' in form
    save(admin, template, light="soft light", steps=6, revision=older.pk)
    assert (template.light, template.steps) == ("soft light", 6)
    assert template.revisions.count() == 3
