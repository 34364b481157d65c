from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client
from wagtail.users.models import UserProfile

from tests.studio.conftest import (
    admin,
    asset,
    browse,
    candidate,
    complete,
    editor,
    finish,
    finished,
    key_folder,
    model,
    person,
    private_folder,
    public_folders,
    published,
    root,
    run,
    start,
    template,
)

__all__ = [
    "admin",
    "asset",
    "browse",
    "candidate",
    "complete",
    "editor",
    "finish",
    "finished",
    "key_folder",
    "model",
    "person",
    "private_folder",
    "public_folders",
    "published",
    "root",
    "run",
    "start",
    "template",
]


@pytest.fixture
def german(browse: Callable[[User | None], Client], editor: User) -> Client:
    """The editor with German chosen in the account settings."""
    UserProfile.objects.update_or_create(user=editor, defaults={"preferred_language": "de"})
    return browse(editor)
