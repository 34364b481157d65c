"""A sample of mutated files through the importers; see ``interchange/campaign.py``."""

from __future__ import annotations

import json
import subprocess
import sys

from tests.campaigns.interchange.campaign import digest
from tests.sandbox import REPOSITORY


def test_mutated_files_neither_crash_nor_reach_out() -> None:
    """In a process of its own: an audit hook stays until the end of the process."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.campaigns.interchange.campaign", "--count", "600"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    found = json.loads(done.stdout)
    assert found["wrong"] == []
    assert sum(found["ended"].values()) == 600
    assert found["ended"]["refused"] > 100
    assert {"A1111", "ComfyUI", "InvokeAI", "SwarmUI"} <= set(found["ended"])
    assert found["peak_mib"] < 400


def test_the_same_seed_makes_the_same_files() -> None:
    assert digest(1, 30) == digest(1, 30) != digest(2, 30)
