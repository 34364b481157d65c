from __future__ import annotations

import os

import pytest
from django.core.cache import cache


@pytest.fixture(autouse=True)
def _cold_cache() -> None:
    """What earlier tests have left there belongs to rows of the same keys."""
    cache.clear()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Where everything must be there, a skipped test is a test that was lost."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") == "true" and reporter and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
