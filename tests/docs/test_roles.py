"""The code of docs/how-to/roles.md makes reviewers; its table is the demonstration's."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.contrib.auth.models import Group, User
from wagtail.models import Collection
from website.demo.people import ROLES

from imagepipe.permissions import VERBS, asset_policy
from imagepipe.views.group_permissions import GroupAssetPermissionFormSet
from tests.docs.test_reference import rows

HOW_TO = (Path(__file__).parents[2] / "docs/how-to/roles.md").read_text("utf-8")


@pytest.mark.django_db
def test_the_code_makes_reviewers() -> None:
    root = Collection.get_first_root_node() or Collection.add_root(name="Root")
    [code] = re.findall(r"```python\n(.*?)```", HOW_TO, re.DOTALL)
    exec(code, {})  # noqa: S102
    user = User.objects.create_user("rita")
    user.groups.add(Group.objects.get(name="Picture reviewers"))
    for verb in VERBS:
        allowed = asset_policy.collections_user_has_permission_for(user, verb)
        assert (root in allowed) == (verb in ("view", "review"))


def test_the_table_is_that_of_the_demonstration() -> None:
    form = GroupAssetPermissionFormSet.permission_types
    labels = {codename.removesuffix("_asset"): str(label) for codename, label, _long in form}
    words = {"add": "Add", "change": "Edit", "choose": "Choose", "publish": "Publish"}
    said = {row[0]: [set(filter(None, cell.split(", "))) for cell in row[1:]]
            for row in rows(HOW_TO, 4) if row[0] != "group"}  # fmt: skip
    assert said == {
        role.group: [
            {labels[verb] for verb in role.asset},
            {words[verb] for verb in role.image},
            {words[verb] for verb in role.page},
        ]
        for role in ROLES
    }
