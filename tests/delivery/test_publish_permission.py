from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.core.exceptions import PermissionDenied
from wagtail.models import Collection, GroupCollectionPermission

from imagepipe.delivery.actions import PublishVersion, WithdrawAsset
from tests.delivery.library import Library


def user_with(verb: str, collection: Collection) -> Any:
    user = get_user_model().objects.create_user(username=f"{verb}-user", password="x")
    group = Group.objects.create(name=verb)
    permission = Permission.objects.get(codename=f"{verb}_asset")
    GroupCollectionPermission.objects.create(
        group=group, collection=collection, permission=permission
    )
    user.groups.add(group)
    return user


def test_publishers_publish_and_withdraw_in_their_collection(library: Library) -> None:
    collection = Collection.get_first_root_node().add_child(name="Ours")
    asset, foreign = library.asset(collection=collection), library.asset()
    publisher = user_with("publish", collection)
    library.do(PublishVersion(library.version(asset), publisher))
    asset.refresh_from_db()
    library.do(WithdrawAsset(asset, publisher, reason=""))
    with pytest.raises(PermissionDenied):
        library.do(PublishVersion(library.version(foreign), publisher))
    library.do(PublishVersion(library.version(foreign), None))
    foreign.refresh_from_db()
    with pytest.raises(PermissionDenied):
        library.do(WithdrawAsset(foreign, publisher, reason=""))


@pytest.mark.parametrize("verb", ["view", "generate", "change", "review", "license"])
def test_other_rights_are_not_enough(library: Library, verb: str) -> None:
    user = user_with(verb, Collection.get_first_root_node())
    asset = library.asset()
    with pytest.raises(PermissionDenied):
        library.do(PublishVersion(library.version(asset), user))
