"""One process of a run of the tests migrates; the others start with a copy of its database."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from django.db import connection

from tests import shared

KEPT = "migrated.sqlite3"
"""The migrated database; an empty file where a server has it under another name."""


def take(folder: Path) -> bool:
    """Make the database of this process from the kept one; False where there is none yet."""
    kept = folder / KEPT
    if not kept.exists():
        return False
    name = connection.creation._get_test_db_name()
    if connection.vendor == "postgresql":
        _drop(name)
        _copy(_template(), name)
        return True
    for suffix in ("-wal", "-shm"):
        Path(f"{name}{suffix}").unlink(missing_ok=True)
    shutil.copyfile(kept, name)
    return True


def keep(folder: Path) -> None:
    """Keep a copy of the database of this process, which it has just migrated."""
    if connection.vendor == "postgresql":
        name = connection.settings_dict["NAME"]
        connection.close()
        _copy(name, _template())
        (folder / KEPT).touch()
        return
    with closing(sqlite3.connect(folder / KEPT)) as copy:
        connection.ensure_connection()
        connection.connection.backup(copy)


def remove() -> None:
    """Remove the database of this process, whoever is still connected to it."""
    name = connection.settings_dict["NAME"]
    connection.close()
    if connection.vendor == "postgresql":
        _drop(name)
    else:
        Path(name).unlink(missing_ok=True)


def forget() -> None:
    """Remove the kept database, after the last process."""
    if connection.vendor == "postgresql" and (shared.folder() / "database" / KEPT).exists():
        _drop(_template())


def _template() -> str:
    return shared.folder().name.replace("-", "_")


def _copy(source: str, target: str) -> None:
    quote = connection.ops.quote_name
    with connection._nodb_cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {quote(target)} TEMPLATE {quote(source)}")


def _drop(name: str) -> None:
    with connection._nodb_cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {connection.ops.quote_name(name)} (FORCE)")
