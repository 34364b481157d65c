"""What docs/how-to/queue.md and deploy/queue say is what the programs do."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from imagepipe.conf import ImagepipeSettings
from imagepipe.workflow.models import Run, RunState, StepRun
from imagepipe.workflow.queue_figures import figures
from imagepipe.workflow.queue_models import EngineHealth, Expense, QueueWorker

REPOSITORY = Path(__file__).parents[2]
DEPLOY = REPOSITORY / "deploy/queue"
HOW_TO = (REPOSITORY / "docs/how-to/queue.md").read_text("utf-8")


@pytest.mark.parametrize("unit", sorted(DEPLOY.glob("*.service")), ids=lambda unit: unit.stem)
def test_the_units_are_sound(unit: Path, tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze is not installed")
    text = unit.read_text()
    text = re.sub(r"^(User|EnvironmentFile|WorkingDirectory)=.*\n", "", text, flags=re.M)
    copy = tmp_path / unit.name.replace("@", "-1")
    copy.write_text(text.replace("/srv/mysite/.venv/bin/", f"{Path(sys.executable).parent}/"))
    done = subprocess.run([program, "verify", "--man=no", copy], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert copy.name not in done.stderr


def test_compose_runs_what_the_units_run() -> None:
    yaml = pytest.importorskip("yaml")
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    assert set(services) == {"web", "worker", "gpu-worker", "database", "redis"}
    for service, unit in (
        ("web", "mysite-web"),
        ("worker", "mysite-worker@"),
        ("gpu-worker", "mysite-gpu-worker@"),
    ):
        command = re.search(
            r"^ExecStart=\S*/bin/(.*)$", (DEPLOY / f"{unit}.service").read_text(), re.M
        )
        assert command is not None
        said = re.sub(r"--host \S+", "--host 127.0.0.1", services[service]["command"])
        assert said == command[1]
        assert services[service]["environment"]["DATABASE_HOST"] == "database"
    assert services["worker"]["deploy"]["replicas"] == 2
    assert services["gpu-worker"]["environment"]["IMAGEPIPE_RESOURCES"] == "gpu"


def test_the_settings_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_PASSWORD", "secret")
    monkeypatch.setenv("IMAGEPIPE_RESOURCES", "gpu large")
    settings: dict[str, Any] = {}
    exec((DEPLOY / "production.py").read_text(), settings)  # noqa: S102
    assert ImagepipeSettings(**settings["IMAGEPIPE"]).RESOURCES == ["gpu", "large"]
    assert settings["CACHES"]["renditions"]["LOCATION"] == "redis://127.0.0.1:6379/2"


def test_every_metric_stands_there(db: None) -> None:
    now = timezone.now()
    QueueWorker.objects.create(name="w", started_at=now, seen_at=now)
    EngineHealth.objects.create(name="storage")
    run = Run.objects.create(graph={})
    StepRun.objects.create(
        run=run, node="a", kind="a", state=RunState.SUCCEEDED, started_at=now, finished_at=now
    )
    Expense.objects.create(run=run, seconds=1, amount=1, currency="EUR", spent_at=now)
    table = HOW_TO.partition("\n## Metrics")[2].partition("\n## ")[0]
    said = {
        name: set(re.findall(r"`(\w+)`", row[1]))
        for row in re.findall(r"^\| (`imagepipe_.*?) \| (.*?) \|", table, re.M)
        for name in re.findall(r"`(\w+)`", row[0])
    }
    exist: dict[str, set[str]] = {}
    for figure in figures():
        exist.setdefault(figure.name, set()).update(name for name, _value in figure.labels)
    assert said == exist
    assert set(re.findall(r"imagepipe_\w+", HOW_TO)) == set(exist)


def test_every_log_key_stands_there() -> None:
    table = HOW_TO.partition("\n## Log keys")[2].partition("\n## ")[0]
    said = {
        key
        for row in re.findall(r"^\| (`.*?) \|", table, re.M)
        for key in re.findall(r"`(\w+)`", row)
    }
    sources = [path.read_text("utf-8") for path in (REPOSITORY / "imagepipe").rglob("*.py")]
    exist = {
        key
        for source in sources
        for keys in re.findall(r'(?:extra=|facts = (?=\{"run"))\{([^}]*)\}', source)
        for key in re.findall(r'"(\w+)":', keys)
    }
    assert exist == said
