"""Combinations of values: axes that go together are zipped, groups of axes are multiplied.

Two colours zipped with two lights, times three seeds, are six combinations. Pure: values in,
values out; what it grows to is bounded before it grows.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from imagepipe.workflow.exceptions import InvalidBrief

MAX_CELLS = 96


@dataclass(frozen=True, slots=True)
class Axis:
    """A field and the values that it takes; axes of one non-empty ``group`` are zipped."""

    field: str
    values: tuple[Any, ...]
    group: str = ""


def combine(axes: Sequence[Axis]) -> list[dict[str, Any]]:
    """Return field and value of every combination; the first axis changes slowest.

    Raises ``InvalidBrief`` for axes of one group with different lengths, for a field that is
    there twice, an axis without values, and more than :data:`MAX_CELLS` combinations.
    """
    names = [axis.field for axis in axes]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise InvalidBrief(_("“%(field)s” is there twice.") % {"field": twice[0]}, twice[0])
    groups: dict[object, list[Axis]] = {}
    for number, axis in enumerate(axes):
        if not axis.values:
            raise InvalidBrief(_("Give at least one value."), axis.field)
        groups.setdefault(axis.group or number, []).append(axis)
    for together in groups.values():
        lengths = [len(axis.values) for axis in together]
        if len(set(lengths)) > 1:
            raise InvalidBrief(
                _("What goes together needs equally many values, not %(lengths)s.")
                % {"lengths": ", ".join(map(str, lengths))},
                together[-1].field,
            )
    count = math.prod(len(together[0].values) for together in groups.values())
    if count > MAX_CELLS:
        raise InvalidBrief(
            _("These are %(count)d combinations; at most %(limit)d are possible at once.")
            % {"count": count, "limit": MAX_CELLS}
        )
    choices = [list(_zipped(together)) for together in groups.values()]
    return [
        {name: value for part in parts for name, value in part.items()}
        for parts in itertools.product(*choices)
    ]


def _zipped(together: Sequence[Axis]) -> list[dict[str, Any]]:
    rows = zip(*(axis.values for axis in together), strict=True)
    return [
        {axis.field: value for axis, value in zip(together, row, strict=True)} for row in rows
    ]
