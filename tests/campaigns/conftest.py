"""Samples of the campaigns: for CI and `pytest -m campaign`; the suite leaves them out."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.edge.conftest import (
    delivery,
    get,
    identities,
    make_edge,
    master,
    photo,
    start_server,
)
from tests.sandbox import sandbox, sandbox_original

__all__ = [
    "delivery",
    "get",
    "identities",
    "make_edge",
    "master",
    "photo",
    "sandbox",
    "sandbox_original",
    "start_server",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.campaign)
