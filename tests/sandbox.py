"""An installation in a folder of its own, for tests that need several processes."""

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

REPOSITORY = Path(__file__).resolve().parents[1]

SANDBOX_SETTINGS = """
from __future__ import annotations
import json
import os
from website.settings.demo import *
from website.settings.demo import IMAGEPIPE, INSTALLED_APPS

class WithoutMigrations:
    def __contains__(self, app):
        return True
    def __getitem__(self, app):
        return None

MIGRATION_MODULES = WithoutMigrations()
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
IMAGEPIPE = IMAGEPIPE | json.loads(os.environ.get("SANDBOX_IMAGEPIPE", "{}"))
if IMAGEPIPE.get("TASK_ENGINE") == "rq":
    INSTALLED_APPS = [*INSTALLED_APPS, "django_rq"]
if "SANDBOX_POSTGRES" in os.environ:
    DATABASES = {"default": json.loads(os.environ["SANDBOX_POSTGRES"])}
REDIS = os.environ.get("SANDBOX_REDIS", "redis://127.0.0.1:1/0")
RQ_QUEUES = {name: {"URL": REDIS} for name in ("high", "default", "low")}
"""

SANDBOX_CELERY = """
from __future__ import annotations
import os
from celery import Celery

broker = os.environ.get("SANDBOX_AMQP") or os.environ["SANDBOX_REDIS"]
app = Celery("sandbox", broker=broker)
app.conf.update(
    worker_prefetch_multiplier=1,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
)
if broker.startswith("redis"):
    app.conf.broker_transport_options = {
        "priority_steps": list(range(10)), "queue_order_strategy": "priority"
    }
else:
    app.conf.task_queue_max_priority = 9
app.set_default()
if os.environ.get("SANDBOX_CELERY_WORKER"):
    import django
    django.setup()
app.autodiscover_tasks(["imagepipe.workflow.engines"], related_name="celery")
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

    def start_command(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """Start ``python <arguments>``; its output goes to ``log.txt`` in the folder."""
        with (self.folder / "log.txt").open("a") as log:
            return subprocess.Popen(
                [sys.executable, *arguments],
                env=self.environment | environment,
                cwd=self.folder,
                stdout=log,
                stderr=subprocess.STDOUT,
                text=True,
            )

    def start(self, code: str) -> subprocess.Popen[str]:
        """Start a process that runs ``code`` with Django set up."""
        return subprocess.Popen(
            [sys.executable, "-c", "import django; django.setup()\n" + code],
            env=self.environment,
            cwd=self.folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, code: str, seconds: float = 120) -> Any:
        """Run ``code`` to its end; returns the JSON it printed last, if any."""
        process = self.start(code)
        output, errors = process.communicate(timeout=seconds)
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
    (folder / "sandbox_celery.py").write_text(SANDBOX_CELERY)
    Sandbox(folder).run(SANDBOX_SETUP)
    return folder


@pytest.fixture
def sandbox(sandbox_original: Path, tmp_path: Path) -> Callable[..., Sandbox]:
    def make(**imagepipe: Any) -> Sandbox:
        folder = tmp_path / "sandbox"
        shutil.copytree(sandbox_original, folder)
        return Sandbox(folder, **imagepipe)

    return make
