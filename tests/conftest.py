from __future__ import annotations

import os
from collections.abc import Generator, Iterator

import pytest
from django.core.cache import cache
from django.test.utils import setup_databases
from pytest_django import DjangoDbBlocker
from pytest_django.plugin import blocking_manager_key

from tests import flushed, migrated, shared
from tests.browser import demonstration


@pytest.fixture(autouse=True)
def _cold_cache() -> None:
    """What earlier tests have left there belongs to rows of the same keys."""
    cache.clear()


def pytest_xdist_auto_num_workers() -> int:
    """Two more than there are processors: many tests wait for other processes."""
    return (os.cpu_count() or 1) + 2


def pytest_configure(config: pytest.Config) -> None:
    """Let files be handed out in the order of the collection, see below."""
    config.option.loadscopereorder = False
    if not hasattr(config, "workerinput"):
        shared.open_folder()


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        demonstration.stop()
        with config.stash[blocking_manager_key].unblock():
            migrated.forget()
        shared.close_folder()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put files with long tests first, so that no process ends long after the others."""
    long = {item.path for item in items if item.get_closest_marker("slow")}
    long |= {item.path for item in items if item.get_closest_marker("browser")}
    items.sort(key=lambda item: item.path not in long)


MIGRATED = pytest.StashKey[str]()


@pytest.fixture(scope="session")
def django_db_setup(
    request: pytest.FixtureRequest,
    django_test_environment: None,
    django_db_modify_db_settings: None,
    django_db_blocker: DjangoDbBlocker,
) -> Iterator[None]:
    """One process migrates, while the others wait for what it made."""
    with django_db_blocker.unblock():
        with shared.turn("database") as folder:
            found = migrated.take(folder)
            setup_databases(0, interactive=False, keepdb=found, serialized_aliases=set())
            if not found:
                migrated.keep(folder)
        request.config.stash[MIGRATED] = flushed.rows()
    yield
    with django_db_blocker.unblock():
        migrated.remove()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(
    item: pytest.Item, nextitem: pytest.Item | None
) -> Generator[None, None, None]:
    yield
    if nextitem and flushed.commits(item) and not flushed.commits(nextitem):
        with item.config.stash[blocking_manager_key].unblock():
            flushed.restore(item.config.stash[MIGRATED])


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Where everything must be there, a skipped test is a test that was lost."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") == "true" and reporter and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
