"""Files that processes count in together, on a disk with room and on a full one."""

from __future__ import annotations

import resource

from edge.numbers import reserve


def test_files_are_written_whole(tmp_path):
    assert reserve(tmp_path)
    assert reserve(tmp_path)
    for file in tmp_path.iterdir():
        assert file.stat().st_blocks * 512 >= file.stat().st_size == 256 * 1024


def test_without_room_nothing_is_left_and_nothing_is_shared(tmp_path, caplog):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, hard))
    try:
        assert not reserve(tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(tmp_path.iterdir()) == []
    assert "counts for itself" in caplog.text
