"""From an empty folder to a filled database; repeatable."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import TextIO

from django.conf import settings
from django.core.management import call_command

from imagepipe.delivery.reconcile import reconcile_now
from imagepipe.provenance.keys import create_keys, key_folder
from website.demo import content, library, people, studio
from website.demo.folder import DemoFolder
from website.demo.processes import Processes, edge_command, web_command, worker_command
from website.demo.progress import Progress, Report

ROOT = Path(__file__).resolve().parents[3]
MODELS = ROOT / "fixtures" / "models"


class Demonstration:
    """One demonstration in one folder, at two ports."""

    def __init__(
        self,
        folder: DemoFolder,
        processes: Processes,
        output: TextIO,
        *,
        port: int,
        edge_port: int,
    ) -> None:
        self.folder, self.processes = folder, processes
        self.port, self.edge_port = port, edge_port
        self.passwords: dict[str, str] = {}
        self._progress = Progress(output)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def edge_url(self) -> str:
        return f"http://127.0.0.1:{self.edge_port}"

    @property
    def root_certificate(self) -> Path:
        """What trusts the pictures of this demonstration."""
        return key_folder().root

    def start(self) -> None:
        """Prepare everything and start web, worker and edge.

        The worker starts first: it draws while photographs and pages are being made.
        """
        step = self._progress.step
        with step("Database") as report:
            call_command("migrate", stdout=_Migrations(report), interactive=False)
        with step("Keys and log-ins"):
            create_keys()
            self.passwords = people.create_people(self.folder.log_ins)
        with step("Models and prompt templates"):
            studio.create_templates(studio.register_models(MODELS))
        runs = library.order_pictures(library.People.load())
        self.processes.start("worker", worker_command(ROOT), self._environ())
        self._start_edge()
        with step("Photographs") as report:
            images = library.publish_photographs(library.People.load(), report)
        with step("Drawing pictures on this computer's processor") as report:
            library.wait_for(runs, report, self.processes.require_running)
        with step("Publishing the drawn pictures") as report:
            images |= library.publish_generated(library.People.load(), report)
        with step("Pages in English and German"):
            content.create_pages(images, port=self.port)
        with step("Delivery") as report:
            while result := reconcile_now():
                report(f"{len(result.written)} written")
        with step("Web server"):
            self.processes.start("web", web_command(self.port), self._environ())
            self.processes.wait_for("web", f"{self.url}/en/")

    def _start_edge(self) -> None:
        self.folder.edge_cache.mkdir(parents=True, exist_ok=True)
        storage = Path(settings.STORAGES["imagepipe_delivery"]["OPTIONS"]["location"])
        storage.mkdir(parents=True, exist_ok=True)
        keys = key_folder()
        self.processes.start(
            "edge",
            edge_command(),
            {
                "IMAGEPIPE_EDGE_STORAGE": str(storage),
                "IMAGEPIPE_EDGE_CACHE": str(self.folder.edge_cache),
                "IMAGEPIPE_EDGE_URL_KEYS": str(keys.url_keys),
                "IMAGEPIPE_EDGE_GRANT_KEYS": str(keys.grant_keys),
                "IMAGEPIPE_EDGE_IDENTITY": str(keys.edge_identity),
                "IMAGEPIPE_EDGE_PORT": str(self.edge_port),
                "PYTHONPATH": str(ROOT),
            },
        )
        self.processes.wait_for("edge", f"{self.edge_url}/readyz")

    def _environ(self) -> dict[str, str]:
        return {
            "DJANGO_SETTINGS_MODULE": os.environ["DJANGO_SETTINGS_MODULE"],
            "IMAGEPIPE_VAR": str(self.folder.path),
            "IMAGEPIPE_EDGE_URL": self.edge_url,
            "IMAGEPIPE_BASE_URL": self.url,
            "PYTHONPATH": os.pathsep.join((str(ROOT / "site"), str(ROOT))),
            "HF_HUB_OFFLINE": "1",
        }


class _Migrations(io.TextIOBase):
    """Shows what ``migrate`` prints as a count."""

    def __init__(self, report: Report) -> None:
        self._report, self._count = report, 0

    def write(self, text: str) -> int:
        if "Applying" in text:
            self._count += 1
            self._report(f"{self._count} changes")
        return len(text)
