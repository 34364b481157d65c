"""The import contracts hold, and they do notice when somebody breaks them."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
LAYERS = "imagepipe: entry points, rim, composition, subjects, base, leaves"
NO_DJANGO = "the leaves and the edge know no Django"
LEAVES_ONLY = "the edge imports the three leaves and nothing else of imagepipe"
PLUGIN = "the plugin does not know the edge or the reference site"


def lint(folder: Path) -> tuple[int, dict[str, str]]:
    """Exit status, and KEPT or BROKEN by contract."""
    code = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    result = subprocess.run(
        [sys.executable, "-c", code, "--no-cache"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
    )
    found = re.findall(r"^(.+) (KEPT|BROKEN)$", result.stdout, re.MULTILINE)
    assert found, result.stdout + result.stderr
    return result.returncode, dict(found)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for name in ("imagepipe", "edge"):
        ignored = shutil.ignore_patterns("__pycache__", "static", "templates", "locale")
        shutil.copytree(PROJECT / name, tmp_path / name, ignore=ignored)
    shutil.copy(PROJECT / "pyproject.toml", tmp_path)
    return tmp_path


def plant(module: Path, line: str) -> None:
    text = module.read_text()
    future = "from __future__ import annotations\n"
    assert future in text
    module.write_text(text.replace(future, f"{future}\n{line}\n", 1))


def test_the_contracts_hold() -> None:
    expected = dict.fromkeys((LAYERS, NO_DJANGO, LEAVES_ONLY, PLUGIN), "KEPT")
    assert lint(PROJECT) == (0, expected)


def test_django_in_the_edge_is_noticed(copy: Path) -> None:
    plant(copy / "edge/health.py", "import django")
    status, contracts = lint(copy)
    assert status == 1
    assert [name for name, state in contracts.items() if state == "BROKEN"] == [NO_DJANGO]


def test_every_other_contract_is_noticed_too(copy: Path) -> None:
    plant(copy / "edge/logs.py", "from imagepipe import conf")
    plant(copy / "imagepipe/conf.py", "from imagepipe import assets")
    plant(copy / "imagepipe/checks.py", "import edge")
    status, contracts = lint(copy)
    assert status == 1
    assert all(contracts[name] == "BROKEN" for name in (LAYERS, LEAVES_ONLY, PLUGIN))


@pytest.mark.parametrize("package", ["urlspec", "grants", "credentials"])
def test_a_leaf_can_be_imported_without_django(package: str) -> None:
    code = f"import sys; sys.modules['django'] = None; import imagepipe.{package}"
    subprocess.run([sys.executable, "-c", code], cwd=PROJECT, check=True, timeout=60)
