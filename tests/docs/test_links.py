"""Links and pictures of the documentation lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PIL import Image

PROJECT = Path(__file__).parents[2]
PAGES = sorted([PROJECT / "README.md", *(PROJECT / "docs").rglob("*.md")])
LARGEST = 150_000
"""Bytes of a screenshot."""


def words(path: Path) -> str:
    """The text without code, in which brackets mean something else."""
    text = re.sub(r"^```.*?^```", "", path.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    return re.sub(r"`[^`\n]*`", "", text)


def targets(path: Path) -> list[str]:
    found = re.findall(r"\]\(([^)\s]+)\)", words(path))
    return [target for target in found if not re.match(r"[a-z]+:", target)]


def anchors(path: Path) -> set[str]:
    """Names of the headings, as GitHub makes them."""
    text = re.sub(r"^```.*?^```", "", path.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {heading.strip().replace(" ", "-") for heading in plain}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT)))
def test_links_resolve(page: Path) -> None:
    for target in targets(page):
        name, _, anchor = target.partition("#")
        file = (page.parent / name).resolve() if name else page
        assert file.exists(), f"{target} leads nowhere"
        assert file.is_relative_to(PROJECT), f"{target} leaves the repository"
        if anchor:
            assert anchor in anchors(file), f"{target}: there is no such heading"


def test_the_index_names_every_page() -> None:
    index = PROJECT / "docs/README.md"
    named = {(index.parent / target.partition("#")[0]).resolve() for target in targets(index)}
    pages = {page for page in PAGES if page.is_relative_to(index.parent) and page != index}
    assert pages - named == set()


def test_screenshots_are_small() -> None:
    for file in (PROJECT / "docs/screenshots").iterdir():
        assert file.stat().st_size < LARGEST, f"{file.name} is too large"
        with Image.open(file) as picture:
            picture.verify()
