"""Group permissions, prompt templates, and collections in Wagtail's own pages."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group, Permission
from django.urls import reverse
from pytest_django.asserts import assertContains

from imagepipe.permissions import VERBS
from imagepipe.prompts.models import PromptTemplate
from imagepipe.registry.models import RegisteredModel
from imagepipe.views.group_permissions import GroupAssetPermissionFormSet

pytestmark = pytest.mark.django_db

TEMPLATE = {
    "name": "Still life",
    "slug": "still-life",
    "subject": "a {thing} on a table",
    "variables": '[{"name": "thing", "choices": ["cup", "jug"], "default": "cup"}]',
    "width": "512",
    "height": "512",
    "steps": "20",
    "guidance": "4",
    "seed_policy": "random",
    "action-publish": "1",
}
ADD = "/admin/snippets/imagepipe/prompttemplate/add/"


def test_the_six_verbs_can_be_given_per_collection(admin, root):
    own = root.add_child(name="Own")
    group = Group.objects.create(name="Studio")
    page = admin.get(reverse("wagtailusers_groups:edit", args=[group.pk]))
    assertContains(page, "Studio permissions")
    chosen = Permission.objects.filter(
        content_type__app_label="imagepipe", codename__in=["view_asset", "publish_asset"]
    )
    prefix = "asset_permissions"
    data = {
        f"{prefix}-TOTAL_FORMS": "1",
        f"{prefix}-INITIAL_FORMS": "0",
        f"{prefix}-0-collection": str(own.pk),
        f"{prefix}-0-permissions": [str(permission.pk) for permission in chosen],
    }
    formset = GroupAssetPermissionFormSet(data, instance=group)
    assert formset.is_valid(), formset.errors
    formset.save()
    given = group.collection_permissions.values_list("collection__name", "permission__codename")
    assert set(given) == {("Own", "view_asset"), ("Own", "publish_asset")}
    offered = {name for name, _short, _long in GroupAssetPermissionFormSet.permission_types}
    assert offered == {f"{verb}_asset" for verb in VERBS}


def test_a_template_is_made_and_keeps_a_history(admin, model):
    response = admin.post(ADD, TEMPLATE | {"model": str(model.pk)})
    assert response.status_code == 302
    template = PromptTemplate.objects.get(slug="still-life")
    assert template.variables[0]["choices"] == ["cup", "jug"]
    assert template.revisions.count() == 1
    listing = admin.get("/admin/snippets/imagepipe/prompttemplate/")
    assertContains(listing, "Still life")


def test_templates_and_their_filter_offer_only_checkpoints(admin, model):
    other = RegisteredModel.objects.create(
        slug="canny", name="Canny", kind="controlnet", licence="MIT", location="x",
        state="allowed",
    )  # fmt: skip
    form = admin.get(ADD).context["form"]
    assert list(form.fields["model"].queryset) == [model]
    response = admin.post(ADD, TEMPLATE | {"model": str(other.pk)})
    assert set(response.context["form"].errors) == {"model"}
    listing = admin.get("/admin/snippets/imagepipe/prompttemplate/")
    filters = listing.context["filters"].form.fields["model"]
    assert list(filters.queryset) == [model]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"subject": "a {Thing}"}, "subject"),
        ({"negative": "}"}, "negative"),
        ({"variables": "{}x"}, "variables"),
        ({"variables": '{"name": "thing"}'}, "variables"),
        ({"variables": '[{"name": "No Good"}]'}, "variables"),
        ({"variables": '[{"name": "thing", "choices": "cup"}]'}, "variables"),
        ({"variables": '[{"name": "thing", "choices": ["a"], "default": "b"}]'}, "variables"),
    ],
)
def test_templates_that_cannot_work_are_refused_at_the_field(admin, root, change, field):
    response = admin.post(ADD, TEMPLATE | change)
    assert response.status_code == 200
    assert set(response.context["form"].errors) == {field}


def test_templates_need_their_own_permission(browse, person, root):
    client = browse(person("ann", *VERBS))
    for address in (ADD, "/admin/snippets/imagepipe/prompttemplate/"):
        response = client.get(address)
        assert response.status_code == 302
        assert response.url == "/admin/"


def test_a_collection_with_pictures_is_not_deleted(admin, root, asset):
    own = root.add_child(name="Own")
    asset.collection = own
    asset.save(update_fields=["collection"])
    page = admin.get(reverse("wagtailadmin_collections:delete", args=[own.pk]))
    assertContains(page, "1 picture")
