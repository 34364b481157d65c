from __future__ import annotations

import os
from collections.abc import Generator

import pytest
from django.core.cache import cache
from pytest_django import DjangoDbBlocker
from pytest_django.plugin import blocking_manager_key

from tests import flushed


@pytest.fixture(autouse=True)
def _cold_cache() -> None:
    """What earlier tests have left there belongs to rows of the same keys."""
    cache.clear()


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are processors: many tests wait for other processes."""
    return (os.cpu_count() or 1) + 1


def pytest_configure(config: pytest.Config) -> None:
    """Let files be handed out in the order of the collection, see below."""
    config.option.loadscopereorder = False


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put files with long tests first, so that no process ends long after the others."""
    long = {item.path for item in items if item.get_closest_marker("slow")}
    long |= {item.path for item in items if item.get_closest_marker("browser")}
    items.sort(key=lambda item: item.path not in long)


MIGRATED = pytest.StashKey[str]()


@pytest.fixture(scope="session")
def django_db_setup(
    request: pytest.FixtureRequest, django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> None:
    with django_db_blocker.unblock():
        request.config.stash[MIGRATED] = flushed.rows()


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
