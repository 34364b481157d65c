from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from website.demo.folder import DemoFolder, FolderInUse
from website.demo.processes import Processes


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


def test_what_outlives_a_killed_demonstration_still_holds_its_folder(tmp_path: Path) -> None:
    with DemoFolder(tmp_path).locked() as lock:
        processes = Processes(io.StringIO(), lock=lock)
        processes.start("web", [sys.executable, "-c", "import time; time.sleep(60)"], {})
        child = processes._children["web"]
    with pytest.raises(FolderInUse, match=rf"{os.getpid()} {child.pid}\."):
        with DemoFolder(tmp_path).locked():
            pass
    assert processes.stop() == {"web": -signal.SIGTERM}
    with DemoFolder(tmp_path).locked():
        assert (tmp_path / "demo.lock").read_text() == f"{os.getpid()}\n"


def test_starting_over_keeps_the_key_that_is_in_use(tmp_path: Path) -> None:
    (tmp_path / "secret-key").write_text("x")
    assert DemoFolder(tmp_path).contents() == []


def ask_for_secret_key(folder: Path) -> str:
    """What a process of the demonstration reads that is started in the folder."""
    code = "from django.conf import settings; print(settings.SECRET_KEY)"
    root = Path(__file__).resolve().parents[2]
    environ = os.environ | {
        "DJANGO_SETTINGS_MODULE": "website.settings.demo",
        "IMAGEPIPE_VAR": str(folder),
        "PYTHONPATH": f"{root / 'site'}{os.pathsep}{root}",
    }
    command = [sys.executable, "-c", code]
    said = subprocess.run(command, env=environ, capture_output=True, text=True, check=True)
    return said.stdout.strip()


@pytest.mark.parametrize("left", [None, ""])
def test_a_first_start_that_was_cut_off_leaves_no_empty_key(
    tmp_path: Path, left: str | None
) -> None:
    if left is not None:
        (tmp_path / "secret-key").write_text(left)
    said = ask_for_secret_key(tmp_path)
    assert said and said == (tmp_path / "secret-key").read_text()
    assert (tmp_path / "secret-key").stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["secret-key", "static"]


def test_a_folder_that_is_made_is_its_owners_alone(tmp_path: Path) -> None:
    """The database holds sessions, the private storage what nobody has approved."""
    folder = tmp_path / "deep" / "var"
    ask_for_secret_key(folder)
    assert folder.stat().st_mode & 0o777 == 0o700
