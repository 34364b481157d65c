"""`python -m edge`: check the configuration, then serve until told to stop."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from pathlib import Path
from typing import Any

from edge.advisories import known_against, versions
from edge.config import METRICS_FOLDER, ConfigError, EdgeConfig, describe, variable
from edge.keys import EdgeKeys
from edge.placement import Shelf


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
        EdgeKeys.load(config)
        _look_at_libraries(config)
    except ConfigError as error:
        print(f"edge: {error}", file=sys.stderr)  # noqa: T201
        return 2
    if options.check:
        print("edge: the configuration can be used")  # noqa: T201
        return 0
    _share_metrics(config.cache / "metrics")
    _serve(config)
    return 0


def _look_at_libraries(config: EdgeConfig) -> None:
    """Raises ConfigError for one with known advisories, unless the settings allow it."""
    known = known_against(versions())
    if known and not config.old_libraries:
        way = f"{variable('old_libraries')}=yes starts all the same"
        raise ConfigError(f"{'; '.join(known)}. {way}, if the distribution has mended it")
    for sentence in known:
        print(f"edge: {sentence}", file=sys.stderr)  # noqa: T201


def _share_metrics(folder: Path) -> None:
    """Numbers of an earlier start do not count."""
    shutil.rmtree(folder, ignore_errors=True)
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        print(f"edge: numbers are not shared: {error.strerror}", file=sys.stderr)  # noqa: T201
        return
    os.environ[METRICS_FOLDER] = str(folder)


def _serve(config: EdgeConfig) -> None:
    from granian.constants import HTTPModes, Interfaces
    from granian.log import LogLevels
    from granian.server import Server

    class EdgeServer(Server):  # type: ignore[misc, valid-type]
        """Workers are replaced one by one on SIGHUP, if what they would read can be used."""

        def signal_handler_reload(self, *args: Any, **kwargs: Any) -> None:
            try:
                EdgeConfig.from_environ(os.environ).check()
                EdgeKeys.load(config)
            except ConfigError as error:
                print(f"edge: not reloaded: {error}", file=sys.stderr, flush=True)  # noqa: T201
                return
            print("edge: reloading", flush=True)  # noqa: T201
            super().signal_handler_reload(*args, **kwargs)

    where = {"address": config.host, "port": config.port}
    shown = f"http://{config.host}:{config.port}"
    if config.socket is not None:
        config.socket.unlink(missing_ok=True)
        where = {"uds": config.socket, "uds_permissions": 0o660}
        shown = f"unix:{config.socket}"
    shelf = None if config.placed is None else Shelf(config.placed, config.placed_bytes)
    if shelf is not None:
        shelf.close()
    server = EdgeServer(
        "edge.app:create_app",
        factory=True,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        websockets=False,
        workers=config.workers,
        blocking_threads=config.threads,
        backpressure=max(128, 4 * config.threads),
        log_level=LogLevels.warning,
        respawn_failed_workers=True,
        respawn_interval=1.0,
        workers_kill_timeout=10,
        **where,
    )
    print(f"edge: listening on {shown}", flush=True)  # noqa: T201
    try:
        server.serve()
    finally:
        if shelf is not None:
            shelf.close()


if __name__ == "__main__":
    sys.exit(main())
