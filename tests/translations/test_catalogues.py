from __future__ import annotations

import gettext
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections import defaultdict
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.translations.catalogue import Entry, compiled, read_mo, read_po

ROOT = Path(__file__).parents[2]
CATALOGUES = ("imagepipe", "site/website")
PLACEHOLDER = re.compile(r"%\(\w+\)[#0\- +]*(?:\.\d+)?[a-zA-Z]|%%|%[sd]|\{\w*\}")


@pytest.fixture(params=CATALOGUES)
def package(request: pytest.FixtureRequest) -> Path:
    return ROOT / request.param


@pytest.fixture
def entries(package: Path) -> list[Entry]:
    return read_po(catalogue_of(package, "po"))


def catalogue_of(package: Path, suffix: str) -> Path:
    return package / f"locale/de/LC_MESSAGES/django.{suffix}"


def test_every_message_has_a_translation(entries: list[Entry]) -> None:
    assert entries
    for entry in entries:
        assert not entry.is_fuzzy, entry.msgid
        assert set(entry.texts) == ({0, 1} if entry.plural else {0}), entry.msgid
        assert all(text.strip() for text in entry.texts.values()), entry.msgid


def test_translations_have_the_same_placeholders(entries: list[Entry]) -> None:
    for entry in entries:
        wanted = sorted(PLACEHOLDER.findall(entry.msgid))
        for text in entry.texts.values():
            assert sorted(PLACEHOLDER.findall(text)) == wanted, entry.msgid


def test_translations_keep_white_space_and_end_as_the_message_does(
    entries: list[Entry],
) -> None:
    for entry in entries:
        for text in entry.texts.values():
            assert text == text.strip(), entry.msgid
            for end in (".", "…", "?", ":"):
                assert text.endswith(end) == entry.msgid.endswith(end), (entry.msgid, text)


def test_quotation_marks_are_german(entries: list[Entry]) -> None:
    for entry in entries:
        for text in entry.texts.values():
            assert "”" not in text, text
            assert text.count("„") == text.count("“") == entry.msgid.count("“"), text


def test_the_compiled_catalogue_is_that_of_the_source(
    package: Path, entries: list[Entry]
) -> None:
    assert read_mo(catalogue_of(package, "mo")) == compiled(entries)


def test_a_message_of_wagtail_keeps_its_meaning(entries: list[Entry]) -> None:
    """Django merges all catalogues, so a word of ours would change Wagtail's own pages."""
    known = defaultdict(set)
    wagtail = Path(str(find_spec("wagtail").origin)).parent
    for path in wagtail.rglob("locale/de/LC_MESSAGES/django.mo"):
        with path.open("rb") as file:
            for message, text in gettext.GNUTranslations(file)._catalog.items():
                known[message].add(text)
    assert known["Publish"] == {"Veröffentlichen"}
    for message, text in compiled(entries).items():
        if message in known:
            assert text in known[message], message


def test_no_message_is_missing(package: Path, entries: list[Entry], tmp_path: Path) -> None:
    if shutil.which("xgettext") is None:
        assert os.environ.get("CI") != "true", "install gettext"
        pytest.skip("xgettext (of GNU gettext) is not installed")
    copy = tmp_path / package.name
    shutil.copytree(package, copy, ignore=shutil.ignore_patterns("__pycache__", "*.mo"))
    subprocess.run(
        [sys.executable, "-m", "django", "makemessages", "-l", "de", "--no-location"],
        cwd=copy,
        env={
            key: value for key, value in os.environ.items() if key != "DJANGO_SETTINGS_MODULE"
        },
        check=True,
        capture_output=True,
    )
    found = read_po(catalogue_of(copy, "po"))
    assert messages(found) == messages(entries)


def messages(entries: list[Entry]) -> set[tuple[str, str, str]]:
    return {(entry.context, entry.msgid, entry.plural) for entry in entries}


def test_the_package_brings_its_catalogues() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    patterns = project["tool"]["setuptools"]["package-data"]["imagepipe"]
    brought = {path for pattern in patterns for path in (ROOT / "imagepipe").glob(pattern)}
    assert catalogue_of(ROOT / "imagepipe", "mo") in brought
