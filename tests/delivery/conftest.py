from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.delivery.library import Library


@pytest.fixture
def library(tmp_path: Path, settings: Any, db: None) -> Library:
    settings.IMAGEPIPE = {**settings.IMAGEPIPE, "EDGE_URL": "https://edge.example"}
    return Library.at(tmp_path, settings)
