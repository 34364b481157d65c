"""The files of docs/how-to/production.md are read by the programs they are for."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edge.config import EdgeConfig
from tests.edge.conftest import Server, delivery, identities, master, photo, start_server

__all__ = ["delivery", "identities", "master", "photo", "start_server"]

REPOSITORY = Path(__file__).parents[2]
HOW_TO = (REPOSITORY / "docs/how-to/production.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", HOW_TO, re.DOTALL | re.MULTILINE)


def test_the_settings_can_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SECRET_KEY", "DATABASE_PASSWORD"):
        monkeypatch.setenv(name, "secret")
    settings: dict[str, Any] = {"IMAGEPIPE": {"CREATOR": "My site"}}
    exec(blocks("python")[0], settings)  # noqa: S102
    assert settings["IMAGEPIPE"]["CREATOR"] == "My site"
    assert settings["DATABASES"]["default"]["PASSWORD"] == "secret"
    assert set(settings["CACHES"]) == {"default", "renditions"}


def test_the_units_are_sound(tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze is not installed")
    units = dict(zip(("web", "worker", "edge"), blocks("ini"), strict=True))
    here = f"{Path(sys.executable).parent}/"
    for name, unit in units.items():
        unit = re.sub(r"^(User|EnvironmentFile|WorkingDirectory)=.*\n", "", unit, flags=re.M)
        path = tmp_path / f"mysite-{name}.service"
        path.write_text(unit.replace("/srv/mysite/.venv/bin/", here))
        done = subprocess.run(
            [program, "verify", "--man=no", path], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        assert str(path.name) not in done.stderr
    assert "manage.py imagepipe worker\n" in units["worker"]


def test_the_edge_knows_the_variables(tmp_path: Path) -> None:
    said = dict(re.findall(r"^Environment=(IMAGEPIPE_EDGE_\w+)=(.*)$", HOW_TO, re.MULTILINE))
    assert EdgeConfig.from_environ(said).workers == 2
    for name in re.findall(r"IMAGEPIPE_EDGE_[A-Z_]+", HOW_TO):
        EdgeConfig.from_environ(said | {name: said.get(name, "60")})


def test_nginx_passes_pictures_and_nothing_else(
    delivery: Any, master: bytes, start_server: Callable[..., Server], tmp_path: Path
) -> None:
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if program is None:
        pytest.skip("nginx is not installed")
    asset = delivery.publish(delivery.version(master))
    edge = start_server()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    [server] = blocks("nginx")
    server = server.replace("listen 80;", f"listen 127.0.0.1:{port};")
    server = server.replace("127.0.0.1:8001", f"127.0.0.1:{edge.port}")
    paths = "".join(
        f"{name}_temp_path {tmp_path / name};\n"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    configuration = tmp_path / "nginx.conf"
    configuration.write_text(
        f"daemon off; master_process off; pid {tmp_path}/nginx.pid; error_log stderr;\n"
        f"events {{}}\nhttp {{ access_log off;\n{paths}{server}}}\n"
    )
    command = [program, "-p", str(tmp_path), "-e", "stderr", "-c", str(configuration)]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as nginx:
        try:
            path = delivery.url(asset)
            passed = fetch(f"http://127.0.0.1:{port}{path}", nginx)
            direct = edge.get(path)
            assert (passed[0], passed[2]) == (200, direct.body)
            assert passed[1]["ETag"] == direct.headers["ETag"]
            assert passed[1]["Cache-Control"] == direct.headers["Cache-Control"]
            for private in ("/metrics", "/healthz", "/readyz"):
                assert edge.get(private).status == 200
                assert fetch(f"http://127.0.0.1:{port}{private}", nginx)[0] == 404
        finally:
            nginx.terminate()


def fetch(address: str, nginx: subprocess.Popen[bytes]) -> tuple[int, Any, bytes]:
    end = time.monotonic() + 20
    while True:
        try:
            with urllib.request.urlopen(address, timeout=30) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read()
        except OSError:
            assert nginx.poll() is None and time.monotonic() < end, "nginx does not answer"
            time.sleep(0.1)


def test_celery_finds_the_task(tmp_path: Path) -> None:
    pytest.importorskip("celery", reason="the extra “celery” is missing")
    (tmp_path / "mysite").mkdir()
    (tmp_path / "mysite/__init__.py").write_text("import mysite.celery\n")
    (tmp_path / "mysite/celery.py").write_text(blocks("python")[1])
    code = (
        "import django; django.setup(); from mysite.celery import app; "
        "app.loader.import_default_modules(); print('imagepipe.run' in app.tasks)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=os.environ
        | {
            "DJANGO_SETTINGS_MODULE": "website.settings.test",
            "PYTHONPATH": os.pathsep.join(
                map(str, (tmp_path, REPOSITORY, REPOSITORY / "site"))
            ),
        },
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() == "True", done.stderr
