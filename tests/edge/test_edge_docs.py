"""The reference names every variable, metric and refusal."""

from __future__ import annotations

import doctest
import re
from dataclasses import fields
from pathlib import Path

import pytest

from edge.advisories import ADVISORIES
from edge.config import EdgeConfig, variable
from edge.metrics import Metrics
from imagepipe.grants import STATUS

PROJECT = Path(__file__).parents[2]
REFERENCE = (PROJECT / "docs/reference/edge.md").read_text("utf-8")


@pytest.mark.parametrize("name", [item.name for item in fields(EdgeConfig)])
def test_every_variable_is_described(name: str) -> None:
    assert f"| `{variable(name)}` |" in REFERENCE


def test_every_refusal_is_described() -> None:
    sources = "".join(path.read_text("utf-8") for path in (PROJECT / "edge").rglob("*.py"))
    found = re.findall(r'(?:4|5)[0-9]{2},\s*"([a-z-]+)"', sources)
    found += re.findall(r'GrantUnavailable\(\s*"([a-z-]+)"', sources)
    found += [reason for reason, status in STATUS.items() if status >= 400]
    assert len(set(found)) > 15
    for reason in found:
        assert f"| `{reason}` |" in REFERENCE, reason


def test_every_advisory_is_described() -> None:
    for library in {item.library for item in ADVISORIES}:
        known = [item for item in ADVISORIES if item.library == library]
        numbers = ", ".join(item.numbers for item in known)
        least = ".".join(map(str, max(item.mended for item in known)))
        assert f"| {library} | {least} | {numbers} |" in REFERENCE


def test_every_metric_is_described() -> None:
    for family in Metrics().registry.collect():
        assert f"`{family.name}" in REFERENCE


def test_examples_of_addresses_run() -> None:
    result = doctest.testfile(str(PROJECT / "docs/reference/urls.md"), module_relative=False)

    assert (result.attempted > 0, result.failed) == (True, 0)
