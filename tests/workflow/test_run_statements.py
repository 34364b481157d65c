"""How many statements the bookkeeping costs: each is a way to the database and back."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from imagepipe.workflow import shares
from imagepipe.workflow.graph import Graph, Node
from imagepipe.workflow.models import Run
from imagepipe.workflow.queue_models import Share
from imagepipe.workflow.steps import registry
from imagepipe.workflow.worker import Worker

OF_A_STEP = {"postgresql": 1}.get(connection.vendor, 5)
OF_A_RUN = {"postgresql": 15}.get(connection.vendor, 31)
OF_FOUR_PICTURES = {"postgresql": 150}.get(connection.vendor, 350)
"""With one step. Begin and commit count."""
worker = Worker()


@pytest.fixture
def nothing(root, monkeypatch):
    registry.get("generate")
    monkeypatch.setitem(registry._steps, "nothing", registry.Step("nothing", lambda _: {}))


def statements(steps: int) -> int:
    graph = Graph(tuple(Node.create(f"n{index:02d}", "nothing") for index in range(steps)))
    Run.objects.create(title="x", graph=graph.to_dict(), graph_sha256=graph.sha256)
    with CaptureQueriesContext(connection) as queries:
        assert worker._execute_next()
    return len(queries)



@pytest.mark.django_db(transaction=True)
def test_a_step_and_a_run_cost_a_few_statements(nothing):
    worker.keep_house()
    statements(1)  # makes the rows of the shares
    one, eleven = statements(1), statements(11)
    # Once a second the worker looks whether something urgent waits.
    assert eleven - one <= 10 * OF_A_STEP + 2
    assert one <= OF_A_RUN
    assert set(Run.objects.values_list("state", flat=True)) == {"succeeded"}


@pytest.mark.django_db(transaction=True)
def test_four_pictures_cost_a_bounded_number_of_statements(start):
    """21 steps; docs/how-to/queue.md reckons with 81 on PostgreSQL, and looks by the clock."""
    start(candidates=4)
    worker.keep_house()
    with CaptureQueriesContext(connection) as queries:
        assert worker._execute_next()
    assert Run.objects.get().state == "succeeded"
    assert len(queries) <= OF_FOUR_PICTURES


@pytest.mark.django_db(transaction=True)
def test_what_a_run_took_is_charged_and_not_what_was_expected(nothing):
    """On a real connection: rows can be locked in a transaction only."""
    statements(1)
    assert {share.owner for share in Share.objects.all()} == {"user:0", "site:0"}
    for share in Share.objects.all():
        assert 0 < share.used_seconds < shares.UNKNOWN_SECONDS / 2
