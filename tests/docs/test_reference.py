"""The reference names every setting, check, command, option, verb and action."""

from __future__ import annotations

import argparse
import ast
import dataclasses
import re
from pathlib import Path

import pytest
from django.core.management import load_command_class

from imagepipe.conf import ImagepipeSettings
from imagepipe.management.commands.imagepipe import Command
from imagepipe.permissions import VERBS
from imagepipe.views.group_permissions import GroupAssetPermissionFormSet
from tests.permissions.test_matrix import all_actions

PROJECT = Path(__file__).parents[2]
REFERENCE = PROJECT / "docs/reference"
SETTINGS = (REFERENCE / "settings.md").read_text("utf-8")
COMMANDS = (REFERENCE / "commands.md").read_text("utf-8")
PERMISSIONS = (REFERENCE / "permissions.md").read_text("utf-8")
ALWAYS = {"-h", "--help", "--version", "-v", "--verbosity", "--settings", "--pythonpath"}
ALWAYS |= {"--traceback", "--no-color", "--force-color", "--skip-checks"}


def rows(text: str, columns: int) -> list[list[str]]:
    """The cells of all table rows with so many columns, without the backticks around them."""
    found = re.findall(r"^\|(.+)\|$", text, re.MULTILINE)
    cells = [[cell.strip().strip("`") for cell in row.split("|")] for row in found]
    return [row for row in cells if len(row) == columns and not row[0].startswith("---")]


def test_every_setting_stands_there_with_its_default() -> None:
    said = {name: default for name, default, _meaning in rows(SETTINGS, 3) if name != "setting"}
    defaults = {}
    for field in dataclasses.fields(ImagepipeSettings):
        factory = field.default_factory
        value = field.default if factory is dataclasses.MISSING else factory()
        defaults[field.name] = str(value) if isinstance(value, Path) else value
    assert {name: ast.literal_eval(text) for name, text in said.items()} == defaults


def test_every_system_check_stands_there() -> None:
    sources = "".join(path.read_text("utf-8") for path in (PROJECT / "imagepipe").rglob("*.py"))
    exist = set(re.findall(r'id="(imagepipe\.[EW]\d+)"', sources))
    said = {name for name, _says in rows(SETTINGS, 2) if name.startswith("imagepipe.")}
    assert said == exist


def options(parser: argparse.ArgumentParser) -> set[str]:
    found = {name for action in parser._actions for name in action.option_strings}
    return found - ALWAYS


def subcommands() -> dict[str, argparse.ArgumentParser]:
    parser = Command().create_parser("manage.py", "imagepipe")
    [choices] = [a.choices for a in parser._actions if isinstance(a.choices, dict)]
    return choices


def test_every_subcommand_stands_there() -> None:
    table = COMMANDS.partition("###")[0]
    assert {name for name, _does in rows(table, 2) if name != "sub-command"} == set(
        subcommands()
    )


def documented(heading: str) -> set[str]:
    found = re.search(
        rf"^#+ `{heading}[^`]*`\n(.*?)(?=^#|\Z)", COMMANDS, re.DOTALL | re.MULTILINE
    )
    if found is None:
        return set()
    return {cell.split()[0] for cell, _meaning in rows(found[1], 2) if cell.startswith("--")}


@pytest.mark.parametrize("name", sorted(subcommands()))
def test_every_option_of_a_subcommand_stands_there(name: str) -> None:
    assert documented(name) == options(subcommands()[name])


def test_every_option_of_the_demonstration_stands_there() -> None:
    parser = load_command_class("website", "demo").create_parser("manage.py", "demo")
    assert documented(r"manage\.py demo") == options(parser)


def test_every_verb_stands_there_as_the_group_form_calls_it() -> None:
    form = GroupAssetPermissionFormSet.permission_types
    labels = {codename.removesuffix("_asset"): str(label) for codename, label, _long in form}
    said = {row[0]: row[1] for row in rows(PERMISSIONS, 3) if row[0] in VERBS}
    assert said == labels
    assert list(said) == list(VERBS)


def test_every_action_stands_there_with_its_verb() -> None:
    said = {row[0]: (row[1], row[2].partition("`")[0]) for row in rows(PERMISSIONS, 3)}
    for action in all_actions():
        expected = action.action_name, action.permission_policy_action
        assert said.get(action.__name__) == expected
