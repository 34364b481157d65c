"""A sample of the replays in new processes; see ``replays/campaign.py``."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.campaigns.replays.campaign import campaign

pytest.importorskip("diffusers")


@pytest.mark.slow
def test_replays_are_bit_exact_and_changes_are_named(tmp_path: Path) -> None:
    found = campaign(tmp_path / "installation", 2, sample=True)
    assert found["verdicts"] == ["bit-exact"]
    assert found["threads"]["basis"] in ("file", "pixels")
    assert "Threads: 1 then, 2 now" in found["threads"]["reason"]
    assert "torch: 2.0.1 then" in found["threads"]["reason"]
    assert found["weights"]["verdict"] == "refused"
    assert "weights of the model “pocket” have changed" in found["weights"]["reason"]
