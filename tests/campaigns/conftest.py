from __future__ import annotations

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
