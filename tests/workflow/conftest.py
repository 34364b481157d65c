from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from wagtail.models import Collection

from imagepipe.prompts.models import PromptTemplate
from imagepipe.provenance.keys import KeyFolder, create_keys
from imagepipe.registry.models import RegisteredModel
from imagepipe.workflow import leases, runner
from imagepipe.workflow.actions import StartRun
from imagepipe.workflow.briefs import Brief
from imagepipe.workflow.models import Run
from tests.sandbox import sandbox, sandbox_original

__all__ = ["sandbox", "sandbox_original"]


@pytest.fixture(autouse=True)
def private_folder(settings: Any, tmp_path: Path, key_folder: Path) -> Path:
    settings.IMAGEPIPE = settings.IMAGEPIPE | {"KEYS": key_folder}
    folder = tmp_path / "private"
    storages = {name: dict(options) for name, options in settings.STORAGES.items()}
    storages["imagepipe_private"]["OPTIONS"] = {"location": folder, "base_url": None}
    settings.STORAGES = storages
    return folder


@pytest.fixture(scope="session")
def key_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys")
    create_keys(KeyFolder(folder))
    return folder


@pytest.fixture
def root(db: None) -> Collection:
    return Collection.get_first_root_node() or Collection.add_root(name="Root")


@pytest.fixture
def model(root: Collection) -> RegisteredModel:
    return RegisteredModel.objects.create(
        slug="sketch",
        name="Sketch",
        backend="fake",
        location="fake",
        licence="BSD-3-Clause",
        native_width=128,
        native_height=128,
        defaults={"steps": 6},
        state=RegisteredModel.State.ALLOWED,
    )


@pytest.fixture
def template(model: RegisteredModel) -> PromptTemplate:
    return PromptTemplate.objects.create(
        name="Product",
        slug="product",
        subject="a {subject}",
        light="soft light",
        model=model,
        width=192,
        height=192,
        steps=6,
    )


@pytest.fixture
def editor(db: None) -> User:
    return User.objects.create_superuser("editor", "editor@example.com", "editor")


@pytest.fixture
def start(template: PromptTemplate, editor: User) -> Callable[..., Run]:
    def start(subject: str = "red teapot", **options: Any) -> Run:
        run = Run(title=options.pop("title", "Teapot"), template=template)
        run.priority = options.pop("priority", 0)
        options.setdefault("candidates", 2)
        brief = Brief(variables={"subject": subject}, **options)
        return StartRun(run, editor, brief=brief).execute()

    return start


@pytest.fixture
def finish() -> Callable[[Run], Run]:
    def finish(run: Run) -> Run:
        owner = leases.new_owner()
        claimed = leases.claim(owner, run.uid.hex)
        assert claimed is not None
        runner.execute(claimed, owner, heartbeat=False)
        run.refresh_from_db()
        return run

    return finish
