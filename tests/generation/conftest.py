from __future__ import annotations

import os
from pathlib import Path

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("diffusers")
    from tests.generation.tiny_model import build_tiny_model

    return build_tiny_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="session")
def tiny_companions(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tests.generation.tiny_companions import build_companions

    folder = tmp_path_factory.mktemp("companions")
    build_companions(tiny_model, folder)
    return folder
