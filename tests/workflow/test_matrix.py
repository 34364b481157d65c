from __future__ import annotations

import math
import uuid
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from hypothesis import given, settings
from hypothesis import strategies as st

from imagepipe.prompts.models import PromptTemplate
from imagepipe.workflow.briefs import Brief, make_plan
from imagepipe.workflow.durations import Basis
from imagepipe.workflow.estimates import estimate
from imagepipe.workflow.exceptions import InvalidBrief, QuotaExceeded
from imagepipe.workflow.matrix import MAX_CELLS, Axis, combine
from imagepipe.workflow.matrix_actions import Cell, StartMatrix, runs_of
from imagepipe.workflow.models import Run
from imagepipe.workflow.queue_models import Quota


def test_zip_and_product() -> None:
    axes = [
        Axis("colour", ("red", "blue"), "A"),
        Axis("seed", (1, 2, 3)),
        Axis("light", ("soft", "hard"), "A"),
    ]
    assert combine(axes) == [
        {"colour": colour, "light": light, "seed": seed}
        for colour, light in (("red", "soft"), ("blue", "hard"))
        for seed in (1, 2, 3)
    ]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_every_combination_is_there_once(data: st.DataObject) -> None:
    lengths = data.draw(st.lists(st.integers(1, 3), min_size=1, max_size=3))
    zipped = data.draw(st.integers(0, 2))
    axes = [Axis(f"f{n}", tuple(range(length))) for n, length in enumerate(lengths)]
    axes += [Axis(f"z{n}", tuple(range(3)), "A") for n in range(zipped)]
    cells = combine(axes)
    assert len(cells) == math.prod(lengths) * (3 if zipped else 1)
    assert len({tuple(sorted(cell.items())) for cell in cells}) == len(cells)
    assert all(set(cell) == {axis.field for axis in axes} for cell in cells)
    assert all(len({cell[f"z{n}"] for n in range(zipped)}) <= 1 for cell in cells)


@pytest.mark.parametrize(
    ("axes", "says"),
    [
        ([Axis("a", ())], "at least one value"),
        ([Axis("a", (1,)), Axis("a", (2,))], "there twice"),
        ([Axis("a", (1, 2), "A"), Axis("b", (1,), "A")], "equally many values, not 2, 1"),
        ([Axis("a", tuple(range(50))), Axis("b", (1, 2))], "100 combinations"),
        ([Axis(f"a{n}", tuple(range(90))) for n in range(9)], "at most 96"),
    ],
)
def test_what_does_not_fit_is_refused(axes: list[Axis], says: str) -> None:
    with pytest.raises(InvalidBrief, match=says):
        combine(axes)


def cells_of(count: int) -> list[Cell]:
    return [
        Cell(f"cup {number}", Brief(variables={"subject": f"cup {number}"}, candidates=1))
        for number in range(count)
    ]


@pytest.mark.django_db
def test_a_matrix_is_one_run_per_cell_and_is_started_once(
    template: PromptTemplate, editor: User
) -> None:
    uid = uuid.uuid4()
    for _attempt in range(2):
        run = Run(uid=uid, title="Cups", template=template)
        started = StartMatrix(run, editor, cells=cells_of(12)).execute()
        assert len(started) == 12
    assert Run.objects.count() == 12
    assert [run.title for run in runs_of(uid)] == [f"Cups: cup {n}" for n in range(12)]
    assert not runs_of(uuid.uuid4()).exists()


@pytest.mark.django_db
def test_all_or_none_is_queued(template: PromptTemplate, editor: User) -> None:
    Quota.objects.create(user=editor, unit="runs", period="day", amount=11)
    with pytest.raises(QuotaExceeded):
        StartMatrix(Run(title="C", template=template), editor, cells=cells_of(12)).execute()
    bad = [*cells_of(2), Cell("bad", Brief(variables={"nothing": "x"}))]
    with pytest.raises(Exception, match="no variable"):
        StartMatrix(Run(title="C", template=template), editor, cells=bad).execute()
    assert not Run.objects.exists()


@pytest.mark.django_db
def test_the_estimate_knows_time_and_quotas(
    template: PromptTemplate, editor: User, start: Callable[..., Run],
    finish: Callable[[Run], Run],
) -> None:  # fmt: skip
    plans = [
        (
            template.model.pk,
            make_plan(cell.brief, title="C", template=template, model=template.model),
        )
        for cell in cells_of(12)
    ]
    nothing = estimate(plans, editor)
    assert (nothing.runs, nothing.pictures, nothing.seconds) == (12, 12, None)
    assert (nothing.basis, nothing.workers, nothing.elapsed) == (Basis.NOTHING, 0, None)
    run = finish(start(candidates=1))
    took = (run.finished_at - run.started_at).total_seconds()
    quota = Quota.objects.create(user=editor, unit="pictures", period="day", amount=12)
    found = estimate(plans, editor)
    assert found.seconds == pytest.approx(12 * took)
    assert found.basis == Basis.SAME
    [share] = found.shares
    assert (share.quota, share.used, share.wanted, share.amount) == (quota, 1, 12, 12)
    assert found.refused_by == share
    assert estimate(plans[:11], editor).refused_by is None
    assert MAX_CELLS >= 12
