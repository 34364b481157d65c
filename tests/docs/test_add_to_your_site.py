"""The tutorial's code and commands, in a project as ``wagtail start`` makes it."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

REPOSITORY = Path(__file__).resolve().parents[2]
TUTORIAL = REPOSITORY / "docs/tutorial/add-to-your-site.md"

BEFORE = """
from django.core.management import call_command
call_command("migrate", verbosity=0)
from wagtail.images.models import Image
from wagtail.images.tests.utils import get_test_image_file
Image.objects.create(title="Old", file=get_test_image_file())
"""

PUBLISH = """
import json
from django.contrib.auth.models import User
from django.test import Client
from home.models import HomePage
from imagepipe.assets.actions import SetAltText
from imagepipe.delivery.actions import PublishVersion
from imagepipe.delivery.reconcile import reconcile_now
from imagepipe.rights.actions import SetRights
from imagepipe.workflow.actions import AcceptCandidate
from imagepipe.workflow.models import Candidate
anna = User.objects.get(username="anna")
version = AcceptCandidate(Candidate.objects.get(), anna).execute()
asset = version.asset
SetAltText(asset, anna, texts={"en": "A mushroom"}).execute()
SetRights(asset, anna, values={"licence": "MIT", "rights_holder": "Anna"}).execute()
PublishVersion(version, anna).execute()
while reconcile_now():
    pass
asset.refresh_from_db()
home = HomePage.objects.get()
home.photo = asset.image
home.save_revision().publish()
page = Client().get("/", headers={"host": "localhost"}).content.decode()
sitemap = Client().get("/sitemap-images.xml", headers={"host": "localhost"}).getvalue().decode()
print(json.dumps({"page": page, "sitemap": sitemap}))
"""

ASK = """
from django.contrib.auth.models import User
from wagtail.models import Collection
from imagepipe.registry.models import RegisteredModel
from imagepipe.workflow.actions import StartRun
from imagepipe.workflow.briefs import Brief
from imagepipe.workflow.models import Run
anna = User.objects.create_superuser("anna", "anna@example.com", "anna")
run = Run(title="Mushroom", model=RegisteredModel.objects.get(),
          collection=Collection.get_first_root_node())
words = "a mushroom on a green background"
brief = Brief(prompt=words, candidates=1, seed=7, width=128, height=128)
StartRun(run, anna, brief=brief).execute()
"""

OLD = """
from django.template import Context, Template
from wagtail.images.models import Image
image = Image.objects.get(title="Old")
template = Template("{% load imagepipe_tags %}{% picture image %}")
print(template.render(Context({"image": image})))
"""


class Project:
    """The folder that ``wagtail start mysite`` has made."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        names = {"DJANGO_SETTINGS_MODULE", "IMAGEPIPE_VAR"}
        self.environ = {k: v for k, v in os.environ.items() if k not in names} | {
            "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])),
            "PYTHONPATH": str(REPOSITORY),
            "OMP_NUM_THREADS": "1",
        }

    def run(self, *command: str) -> str:
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def execute(self, code: str) -> str:
        settings = "import os; os.environ['DJANGO_SETTINGS_MODULE'] = 'mysite.settings.dev'\n"
        return self.run("python", "-c", settings + "import django; django.setup()\n" + code)

    def append(self, name: str, text: str) -> None:
        path = self.folder / name
        path.write_text(f"{path.read_text()}\n{text}")

    def patch(self, name: str, diff: str) -> None:
        """Apply a diff; each of its parts must fit exactly one place of the file."""
        path = self.folder / name
        text = path.read_text()
        for part in diff.split("@@\n"):
            lines = part.splitlines(keepends=True)
            old = "".join(line[1:] for line in lines if line[0] in " -")
            new = "".join(line[1:] for line in lines if line[0] in " +")
            assert text.count(old) == 1, f"{name} has no such place:\n{old}"
            text = text.replace(old, new)
        path.write_text(text)


def blocks() -> list[tuple[str, str, str]]:
    """Language, file named last before it, and content of every code block."""
    found, name = [], ""
    text = TUTORIAL.read_text("utf-8")
    for part in re.finditer(r"`([\w/]+\.(?:py|html))`|^```(\w+)\n(.*?)^```", text, re.S | re.M):
        if part[1]:
            name = part[1]
        else:
            found.append((part[2], name, part[3]))
    return found


@pytest.fixture
def project(tmp_path: Path) -> Project:
    pytest.importorskip("diffusers", reason="the extra “diffusers” is missing")
    project = Project(tmp_path)
    project.run("wagtail", "start", "mysite", ".")
    project.execute(BEFORE)
    return project


@pytest.fixture
def edges() -> Iterator[list[subprocess.Popen[bytes]]]:
    started: list[subprocess.Popen[bytes]] = []
    yield started
    for process in started:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def start_edge(project: Project, block: str, port: int) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        ["bash", "-c", block.replace("python -m edge", "exec python -m edge")],
        cwd=project.folder,
        env=project.environ | {"IMAGEPIPE_EDGE_PORT": str(port)},
    )
    end = time.monotonic() + 30
    while True:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5)
            return process
        except OSError:
            assert process.poll() is None and time.monotonic() < end, "the edge did not start"
            time.sleep(0.1)


@pytest.mark.journey
def test_the_tutorial(project: Project, edges: list[subprocess.Popen[bytes]]) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    output = []
    for language, name, block in blocks():
        block = block.replace("path/to/imagepipe", str(REPOSITORY))
        block = block.replace("127.0.0.1:8001", f"127.0.0.1:{port}")
        if language == "python":
            project.append(name, block)
        elif language == "diff":
            project.patch(name, block)
        elif "pip install" in block or "runserver" in block:
            continue
        elif "python -m edge" in block:
            edges.append(start_edge(project, block, port))
        elif "imagepipe worker" in block:
            project.execute(ASK)
            output.append(project.run("bash", "-ec", block.replace("worker", "worker --once")))
        else:
            output.append(project.run("bash", "-ec", block))

    printed = "".join(output)
    assert "System check identified no issues (0 silenced)." in printed
    assert "1 images to adopt" in printed
    assert "1 images adopted, 0 failed" in printed
    assert "1 runs executed." in printed
    assert re.search(r'<img src="/media/[^"]+"', project.execute(OLD))
    seen = json.loads(project.execute(PUBLISH).splitlines()[-1])
    address = re.search(rf'"(http://127\.0\.0\.1:{port}/[^" ]+\.jpg)', seen["page"])
    assert address is not None
    assert "AI-generated" in seen["page"]
    assert "http://localhost/" in seen["sitemap"]
    with urllib.request.urlopen(address[1], timeout=30) as answer:
        Image.open(io.BytesIO(answer.read())).verify()
