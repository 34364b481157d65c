from __future__ import annotations

from pathlib import Path

import pytest
from website.demo.folder import DemoFolder, FolderInUse


def test_starting_over_deletes_what_the_demonstration_made_and_nothing_else(
    tmp_path: Path,
) -> None:
    (tmp_path / "media" / "deep").mkdir(parents=True)
    (tmp_path / "media" / "deep" / "picture.png").write_bytes(b"x")
    (tmp_path / "db.sqlite3").write_bytes(b"x")
    (tmp_path / "my-thesis.txt").write_text("mine")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "mine.png").write_bytes(b"x")
    (tmp_path / "private").symlink_to(elsewhere)

    folder = DemoFolder(tmp_path)
    assert [path.name for path in folder.contents()] == ["db.sqlite3", "media", "private"]
    folder.clear()

    assert sorted(path.name for path in tmp_path.iterdir()) == ["elsewhere", "my-thesis.txt"]
    assert (elsewhere / "mine.png").exists()
    assert folder.contents() == []


def test_one_demonstration_per_folder(tmp_path: Path) -> None:
    with DemoFolder(tmp_path).locked():
        with pytest.raises(FolderInUse, match="Another demonstration"):
            with DemoFolder(tmp_path).locked():
                pass
    with DemoFolder(tmp_path).locked():
        pass
