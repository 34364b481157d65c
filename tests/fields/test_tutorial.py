"""The lines of the tutorial, executed in a project of their own, under both image models."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
TUTORIAL = REPOSITORY / "docs/tutorial/ai-image-field.md"
FILES = ("kitchen/models.py", "kitchen/templates/kitchen/recipe_page.html")

SETTINGS = """
from __future__ import annotations
from website.settings.test import *
from website.settings.test import INSTALLED_APPS, VAR


class WithoutOtherMigrations:
    # The others' tables come from their models: that takes a second instead of twelve.
    def __contains__(self, app):
        return app != "kitchen"

    def __getitem__(self, app):
        return None

MIGRATION_MODULES = WithoutOtherMigrations()
INSTALLED_APPS = [*INSTALLED_APPS, "kitchen"]
DATABASES["default"]["NAME"] = VAR / "kitchen.sqlite3"
"""

BEFORE = """
from django.core.management import call_command
call_command("makemigrations", "kitchen", verbosity=0)
call_command("migrate", run_syncdb=True, verbosity=0)
from wagtail.models import Collection, Locale, Page
from kitchen.models import RecipePage
Collection.add_root(name="Root")
Locale.objects.create(language_code="en")
root = Page.add_root(instance=Page(title="Root", slug="root"))
root.add_child(instance=RecipePage(title="Soup", slug="soup"))
"""

AFTER = """
from django.core.management import call_command
call_command("makemigrations", "kitchen", verbosity=0)
call_command("makemigrations", check=True, dry_run=True)
call_command("migrate", verbosity=0)
from wagtail.images import get_image_model
from wagtail.images.tests.utils import get_test_image_file
from django.template.loader import render_to_string
from kitchen.models import RecipePage
page = RecipePage.objects.get()
print(render_to_string(page.template, {"page": page}))
model = get_image_model()
bowl = model(title="Bowl", file=get_test_image_file())
[page.photo] = model.objects.bulk_create([bowl])  # as before imagepipe was installed
page.photo_use = {"alt_text": "A bowl of soup"}
page.save(clean=False)
page = RecipePage.objects.get()
print(type(page.photo).__name__)
print(render_to_string(page.template, {"page": page}))
"""

CHECK = """
from django.core.management import call_command
call_command("makemigrations", check=True, dry_run=True)
"""


def diffs() -> list[list[str]]:
    blocks = re.findall(r"```diff\n(.*?)```", TUTORIAL.read_text(), re.DOTALL)
    return [block.splitlines() for block in blocks]


@pytest.fixture
def project(tmp_path: Path) -> Callable[..., str]:
    (tmp_path / "kitchen_settings.py").write_text(SETTINGS)
    (tmp_path / "kitchen/migrations").mkdir(parents=True)
    for package in ("kitchen", "kitchen/migrations"):
        (tmp_path / package / "__init__.py").touch()

    def run(code: str, image_model: str) -> str:
        places = (tmp_path, REPOSITORY, REPOSITORY / "site")
        done = subprocess.run(
            [sys.executable, "-c", "import django; django.setup()\n" + code],
            env=os.environ
            | {
                "PYTHONPATH": os.pathsep.join(map(str, places)),
                "DJANGO_SETTINGS_MODULE": "kitchen_settings",
                "IMAGEPIPE_VAR": str(tmp_path),
                "IMAGEPIPE_TEST_IMAGE_MODEL": image_model,
                "IMAGEPIPE_TEST_DATABASE": "sqlite",
            },
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def write(folder: Path, keep: str) -> None:
    for name, lines in zip(FILES, diffs(), strict=True):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"{line[1:]}\n" for line in lines if line[:1] in keep))


def test_the_tutorial_adds_five_lines() -> None:
    added = [line for lines in diffs() for line in lines if line.startswith("+")]
    assert len(added) == 5


@pytest.mark.journey
@pytest.mark.parametrize(("model", "other"), [("site", "stock"), ("stock", "site")])
def test_the_lines_and_the_migration(
    project: Callable[..., str], tmp_path: Path, model: str, other: str
) -> None:
    write(tmp_path, keep=" ")
    project(BEFORE, model)
    write(tmp_path, keep=" +")
    output = project(AFTER, model)
    empty, name, shown = re.split(r"(SiteImage|Image)\n", output)
    assert "<h1>Soup</h1>" in empty
    assert "<img" not in empty
    assert name == {"site": "SiteImage", "stock": "Image"}[model]
    assert 'alt="A bowl of soup"' in shown
    migration = next((tmp_path / "kitchen/migrations").glob("0002*.py")).read_text()
    assert "imagepipe.fields.AIImageField(" in migration
    assert "to=" not in migration
    assert "No changes detected" in project(CHECK, other)
