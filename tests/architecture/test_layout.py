"""The shape of the tree: one subject per module, and a ``site`` that is no package."""

from __future__ import annotations

from pathlib import Path

PROJECT = Path(__file__).parents[2]
LONGEST = 300
LONG: dict[str, str] = {}
"""Modules that may be longer, with the reason."""


def test_modules_are_short() -> None:
    lengths = {
        str(path.relative_to(PROJECT)): len(path.read_text().splitlines())
        for package in ("imagepipe", "edge")
        for path in (PROJECT / package).rglob("*.py")
        if "migrations" not in path.parts
    }
    assert len(lengths) > 100
    long = {name for name, count in lengths.items() if count > LONGEST}
    assert long == set(LONG)


def test_half_of_the_modules_fit_on_two_screens() -> None:
    lengths = sorted(
        len(path.read_text().splitlines())
        for path in (PROJECT / "imagepipe").rglob("*.py")
        if "migrations" not in path.parts and path.name != "__init__.py"
    )
    assert lengths[len(lengths) // 2] <= 120


def test_site_is_a_plain_folder_with_one_package() -> None:
    """The standard library owns the name; with an ``__init__`` Python would not start."""
    assert not (PROJECT / "site/__init__.py").exists()
    packages = [path.parent.name for path in (PROJECT / "site").glob("*/__init__.py")]
    assert packages == ["website"]


def test_no_module_has_a_name_that_says_nothing() -> None:
    empty = {"utils", "helpers", "services", "misc", "common", "manager", "managers"}
    names = {
        path.stem
        for package in ("imagepipe", "edge", "site")
        for path in (PROJECT / package).rglob("*.py")
    }
    assert not names & empty
