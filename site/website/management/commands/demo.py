"""``manage.py demo``: the whole of imagepipe on this computer, from an empty folder."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, TextIO

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError

from website.demo.folder import DemoFolder, FolderInUse
from website.demo.library import RunUnfinished
from website.demo.people import ADMINISTRATOR, ROLES
from website.demo.preparation import Demonstration
from website.demo.processes import ProcessEnded, Processes

CHECKING = "IMAGEPIPE_DEMO_CHECKING"
PORT, EDGE_PORT = 8000, 8001


class Command(BaseCommand):
    help = (
        "Prepares a demonstration site (once) and runs web, worker and edge until Ctrl-C. "
        "Everything it writes lies in var/, or in the folder that IMAGEPIPE_VAR names."
    )
    requires_system_checks: list[str] = []
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=PORT, help=f"of the site ({PORT})")
        parser.add_argument(
            "--edge-port", type=int, default=EDGE_PORT, help=f"of the edge ({EDGE_PORT})"
        )
        parser.add_argument(
            "--check",
            action="store_true",
            help="walk the whole journey over HTTP in a fresh temporary folder, print what was "
            "seen, and end; status 1 at the first thing that is not as it should be",
        )
        parser.add_argument("--reset", action="store_true", help="start over, after asking")
        parser.add_argument("--no-input", action="store_true", help="do not ask")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["check"] and CHECKING not in os.environ:
            sys.exit(_in_fresh_folder())
        signal.signal(signal.SIGTERM, _interrupt)
        folder = DemoFolder(Path(settings.VAR))
        try:
            with folder.locked() as lock:
                self._require_ports(options)  # before anything is deleted
                if options["reset"]:
                    self._reset(folder, ask=not options["no_input"])
                self._run(folder, lock, options)
        except (FolderInUse, ProcessEnded, RunUnfinished, OSError, OperationalError) as error:
            raise CommandError(str(error)) from error

    def _require_ports(self, options: dict[str, Any]) -> None:
        if options["port"] == options["edge_port"]:
            raise CommandError("--port and --edge-port must differ.")
        _require_free(options["port"], "--port")
        _require_free(options["edge_port"], "--edge-port")

    def _run(self, folder: DemoFolder, lock: TextIO, options: dict[str, Any]) -> None:
        output = self.stdout._out  # type: ignore[attr-defined]
        processes = Processes(output, quiet=True, lock=lock)
        demonstration = Demonstration(
            folder,
            processes,
            output,
            port=options["port"],
            edge_port=options["edge_port"],
        )
        self.stdout.write("Preparing the demonstration")
        try:
            demonstration.start()
            if options["check"]:
                self._check(demonstration)
            else:
                self._welcome(demonstration)
                processes.follow()
        except KeyboardInterrupt:
            self.stdout.write("\nStopping …")
        finally:
            statuses = processes.stop()
        ends = ", ".join(f"{name} {status}" for name, status in statuses.items())
        self.stdout.write(f"Stopped ({ends}).")

    def _welcome(self, demonstration: Demonstration) -> None:
        url, write = demonstration.url, self.stdout.write
        write(f"\nThe site         {url}/en/  and  {url}/de/")
        write(f"The editors      {url}/admin/")
        write(f"Image sitemap    {url}/sitemap-images.xml")
        write(f"The edge         {demonstration.edge_url}/metrics\n")
        does = {role.user: role.does for role in ROLES} | {ADMINISTRATOR: "everything"}
        for name, password in demonstration.passwords.items():
            write(f"  log in as {name:<10} password {password:<14} {does.get(name, '')}")
        write("\nCtrl-C stops everything.\n")

    def _check(self, demonstration: Demonstration) -> None:
        from website.demo.journey import JourneyFailed, walk

        try:
            walk(demonstration, self.stdout)
        except JourneyFailed as error:
            for name in demonstration.processes.lines:
                self.stderr.write(demonstration.processes.tail(name))
            raise CommandError(str(error)) from error

    def _reset(self, folder: DemoFolder, *, ask: bool) -> None:
        doomed = folder.contents()
        if not doomed:
            return
        self.stdout.write(f"This deletes from {folder.path}:")
        for path in doomed:
            self.stdout.write(f"  {path.name}")
        if ask and not _confirmed("Type “yes” to delete it: "):
            raise CommandError("Nothing was deleted.")
        folder.clear()


def _in_fresh_folder() -> int:
    """The same command in a temporary folder, at free ports; the user's own stays as it is."""
    with tempfile.TemporaryDirectory(prefix="imagepipe-check-") as folder:
        environ = {**os.environ, CHECKING: "1", "IMAGEPIPE_VAR": folder}
        ports = ("--port", str(_any_port()), "--edge-port", str(_any_port()))
        command = [sys.executable, sys.argv[0], "demo", "--check", *ports]
        with subprocess.Popen(command, env=environ) as child:  # noqa: S603 - ourselves
            try:
                return child.wait()
            except KeyboardInterrupt:  # the child has had it too, and cleans up
                return child.wait()


def _any_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _require_free(port: int, option: str) -> None:
    if not 0 < port < 65536:
        raise CommandError(f"{option} lies from 1 to 65535.")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except PermissionError:
            raise CommandError(
                f"Port {port} is not for ordinary users. Choose another with {option}."
            ) from None
        except OSError:
            raise CommandError(f"Port {port} is taken. Choose another with {option}.") from None


def _confirmed(question: str) -> bool:
    try:
        return input(question).strip().lower() == "yes"
    except EOFError:  # nobody is there to answer
        return False


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt
