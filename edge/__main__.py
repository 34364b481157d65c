"""`python -m edge`: check the configuration, then serve until told to stop."""

from __future__ import annotations

import argparse
import logging
import os
import shutil
import sys
from pathlib import Path

from edge.config import ConfigError, EdgeConfig, describe
from edge.metrics_folder import FOLDER_VARIABLE


def main(arguments: list[str] | None = None) -> int:
    """Exit status: 0 after a clean stop, 2 for a configuration that cannot be used."""
    parser = argparse.ArgumentParser(
        prog="python -m edge",
        description="Delivery edge of imagepipe: answers signed picture addresses.",
        epilog="Environment variables:\n" + describe(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--check", action="store_true", help="check the configuration and exit")
    options = parser.parse_args(arguments)
    try:
        config = EdgeConfig.from_environ(os.environ)
        config.check()
        _try_to_load(config)
    except ConfigError as error:
        print(f"edge: {error}", file=sys.stderr)  # noqa: T201
        return 2
    if options.check:
        print("edge: the configuration can be used")  # noqa: T201
        return 0
    _share_metrics(config.cache / "metrics")
    _serve(config)
    return 0


def _try_to_load(config: EdgeConfig) -> None:
    """Let unusable keys stop the start, not the workers one by one."""
    from edge.app import EdgeApp

    logging.getLogger("edge").addHandler(logging.NullHandler())
    EdgeApp.load(config)


def _share_metrics(folder: Path) -> None:
    """Numbers of an earlier start do not count."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    os.environ[FOLDER_VARIABLE] = str(folder)


def _serve(config: EdgeConfig) -> None:
    from granian.constants import HTTPModes, Interfaces
    from granian.log import LogLevels
    from granian.server import Server

    server = Server(
        "edge.app:create_app",
        factory=True,
        address=config.host,
        port=config.port,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        websockets=False,
        workers=config.workers,
        blocking_threads=config.threads,
        backpressure=max(128, 4 * config.threads),
        log_level=LogLevels.warning,
        respawn_failed_workers=True,
        workers_kill_timeout=10,
        process_name=None,
    )
    print(f"edge: listening on http://{config.host}:{config.port}", flush=True)  # noqa: T201
    server.serve()


if __name__ == "__main__":
    sys.exit(main())
