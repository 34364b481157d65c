from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import migrations, models
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.state import ModelState, ProjectState
from django.db.migrations.writer import MigrationWriter
from wagtail.images import get_image_model_string

from imagepipe.fields import AIImageField

APP = "imagepipe_fields"
USE = models.JSONField(default=dict, blank=True, editable=False)


def state(**fields: models.Field) -> ProjectState:
    """One model in an app, as migrations see it; good for one comparison."""
    columns = [("id", models.BigAutoField(primary_key=True)), *fields.items()]
    project = ProjectState()
    project.add_model(ModelState(APP, "Card", columns))
    return project


def changes(before: ProjectState, after: ProjectState) -> list[Any]:
    found = MigrationAutodetector(before, after)._detect_changes()
    return [operation for change in found.get(APP, []) for operation in change.operations]


def key() -> models.ForeignKey:
    return models.ForeignKey(
        get_image_model_string(), null=True, blank=True, on_delete=models.SET_NULL,
        related_name="+",
    )  # fmt: skip


@pytest.mark.django_db
def test_the_models_of_these_tests_need_no_migration() -> None:
    call_command("makemigrations", APP, check=True, dry_run=True, verbosity=0)


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    def wanted() -> ProjectState:
        return state(photo_use=USE.clone(), photo=AIImageField(profile="hero", blank=False))

    [create] = changes(ProjectState(), wanted())
    migration = migrations.Migration("0001_initial", APP)
    migration.operations = [create]
    text = MigrationWriter(migration).as_string()
    assert get_image_model_string().lower() not in text.lower()
    path = tmp_path / "written.py"
    path.write_text(text)
    spec = importlib.util.spec_from_file_location("written", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    written = module.Migration("0001_initial", APP).mutate_state(ProjectState())
    assert changes(written, wanted()) == []
    field = written.models[APP, "card"].fields["photo"]
    assert (field.profile_name, field.blank, field.null) == ("hero", False, True)


def test_another_profile_is_a_change_of_the_field_alone() -> None:
    before = state(photo_use=USE.clone(), photo=AIImageField())
    after = state(photo_use=USE.clone(), photo=AIImageField(profile="hero"))
    [alter] = changes(before, after)
    assert isinstance(alter, migrations.AlterField)


def test_a_foreign_key_becomes_an_image_field() -> None:
    before = state(photo=key())
    after = state(photo_use=USE.clone(), photo=AIImageField())
    kinds = {type(operation) for operation in changes(before, after)}
    assert kinds == {migrations.AddField, migrations.AlterField}


def test_another_target_is_kept() -> None:
    field = AIImageField("wagtailimages.Rendition")
    assert field.deconstruct()[3]["to"] == "wagtailimages.rendition"
