from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client, TestCase
from wagtail.models import Collection, GroupCollectionPermission

from imagepipe.assets.actions import SetAltText
from imagepipe.assets.models import Asset
from imagepipe.delivery.actions import PublishVersion
from imagepipe.rights.actions import SetRights
from imagepipe.workflow.actions import AcceptCandidate
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
    """A client, logged in as the person if there is one."""

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


@pytest.fixture(autouse=True)
def public_folders(settings: Any, tmp_path: Path, private_folder: Path) -> None:
    """Media and delivery storage of one test; the private one is there already."""
    storages = {name: dict(options) for name, options in settings.STORAGES.items()}
    storages["default"]["OPTIONS"] = {"location": tmp_path / "media", "base_url": "/media/"}
    storages["imagepipe_delivery"]["OPTIONS"] = {
        "location": tmp_path / "delivery",
        "base_url": None,
    }
    settings.STORAGES = storages
    settings.MEDIA_ROOT = str(tmp_path / "media")


@pytest.fixture
def asset(candidate: Candidate, editor: User) -> Asset:
    """An approved picture that was generated, without rights and alternative text."""
    return AcceptCandidate(candidate, editor, title="A teapot").execute().asset


@pytest.fixture
def complete(asset: Asset, editor: User) -> Asset:
    """The same with everything that publication asks for."""
    SetAltText(asset, editor, texts={"en": "A red teapot"}).execute()
    values = {"licence": "CC BY 4.0", "rights_holder": "Ada"}
    SetRights(asset, editor, values=values).execute()
    return asset


@pytest.fixture
def published(complete: Asset, editor: User) -> Asset:
    with TestCase.captureOnCommitCallbacks(execute=True):
        PublishVersion(complete.versions.get(), editor).execute()
    complete.refresh_from_db()
    return complete
