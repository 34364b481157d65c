from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
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


REPOSITORY = Path(__file__).resolve().parents[2]

SANDBOX_SETTINGS = """
from __future__ import annotations
import json
import os
from website.settings.demo import *
from website.settings.demo import IMAGEPIPE

class WithoutMigrations:
    def __contains__(self, app):
        return True
    def __getitem__(self, app):
        return None

MIGRATION_MODULES = WithoutMigrations()
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
IMAGEPIPE = IMAGEPIPE | json.loads(os.environ.get("SANDBOX_IMAGEPIPE", "{}"))
"""

SANDBOX_SETUP = """
from django.core.management import call_command
from wagtail.models import Collection
from imagepipe.models import PromptTemplate, RegisteredModel
from imagepipe.provenance.keys import create_keys
call_command("migrate", run_syncdb=True, verbosity=0)
create_keys()
Collection.add_root(name="Root")
model = RegisteredModel.objects.create(
    slug="sketch", name="Sketch", backend="fake", location="fake", licence="BSD-3-Clause",
    native_width=128, native_height=128, state="allowed")
PromptTemplate.objects.create(
    name="P", slug="p", subject="a {subject}", model=model, width=128, height=128, steps=20)
"""


class Sandbox:
    """An installation of its own in a folder: SQLite file, storage, keys; used by processes."""

    def __init__(self, folder: Path, **imagepipe: Any) -> None:
        self.folder = folder
        self.environment = os.environ | {
            "IMAGEPIPE_VAR": str(folder),
            "DJANGO_SETTINGS_MODULE": "sandbox_settings",
            "SANDBOX_IMAGEPIPE": json.dumps(imagepipe),
            "PYTHONPATH": os.pathsep.join(map(str, (folder, REPOSITORY, REPOSITORY / "site"))),
            "OMP_NUM_THREADS": "1",
        }

    def start(self, code: str) -> subprocess.Popen[str]:
        """Start a process that runs ``code`` with Django set up."""
        return subprocess.Popen(
            [sys.executable, "-c", "import django; django.setup()\n" + code],
            env=self.environment,
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, code: str) -> Any:
        """Run ``code`` to its end; returns the JSON it printed last, if any."""
        process = self.start(code)
        output, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
        return json.loads(output.splitlines()[-1]) if output.strip() else None

    def manage(self, *arguments: str) -> subprocess.Popen[str]:
        """Start ``manage.py`` with these arguments."""
        return self.start(
            f"from django.core.management import call_command; call_command(*{arguments!r})"
        )


@pytest.fixture(scope="session")
def sandbox_original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sandbox")
    (folder / "sandbox_settings.py").write_text(SANDBOX_SETTINGS)
    Sandbox(folder).run(SANDBOX_SETUP)
    return folder


@pytest.fixture
def sandbox(sandbox_original: Path, tmp_path: Path) -> Callable[..., Sandbox]:
    def make(**imagepipe: Any) -> Sandbox:
        folder = tmp_path / "sandbox"
        shutil.copytree(sandbox_original, folder)
        return Sandbox(folder, **imagepipe)

    return make
