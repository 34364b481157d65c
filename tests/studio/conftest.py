from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from wagtail.models import Collection, GroupCollectionPermission

from imagepipe.workflow.models import Candidate, Run
from tests.workflow.conftest import (
    editor,
    finish,
    key_folder,
    model,
    private_folder,
    root,
    start,
    template,
)

__all__ = [
    "editor",
    "finish",
    "key_folder",
    "model",
    "private_folder",
    "root",
    "start",
    "template",
]


@pytest.fixture
def person(root: Collection) -> Callable[..., User]:
    """A person with access to the admin and these verbs in one collection."""

    def person(name: str, *verbs: str, collection: Collection | None = None) -> User:
        user = User.objects.create_user(name, f"{name}@example.com", name)
        group = Group.objects.create(name=f"group of {name}")
        group.permissions.add(
            Permission.objects.get(
                content_type__app_label="wagtailadmin", codename="access_admin"
            )
        )
        for verb in verbs:
            GroupCollectionPermission.objects.create(
                group=group,
                collection=collection or root,
                permission=Permission.objects.get(
                    content_type__app_label="imagepipe", codename=f"{verb}_asset"
                ),
            )
        user.groups.add(group)
        return user

    return person


@pytest.fixture
def browse() -> Callable[[User | None], Client]:
    """A logged-in client that insists on CSRF tokens being no excuse for other tests."""

    def browse(user: User | None) -> Client:
        client = Client()
        if user is not None:
            client.force_login(user)
        return client

    return browse


@pytest.fixture
def admin(browse: Callable[[User | None], Client], editor: User) -> Client:
    return browse(editor)


@pytest.fixture
def run(start: Callable[..., Run]) -> Run:
    return start(candidates=2, seed=21, seed_policy="fixed")


@pytest.fixture
def finished(run: Run, finish: Callable[[Run], Run]) -> Run:
    return finish(run)


@pytest.fixture
def candidate(finished: Run) -> Candidate:
    return finished.candidates.get(index=0)
