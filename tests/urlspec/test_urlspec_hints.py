from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagepipe.urlspec import LADDER, Hints, Transform, resolve

HINTED = Transform(800, hinted=True)
anything = st.text(max_size=12) | st.integers(-5, 10**6).map(str) | st.floats().map(str)


@given(
    anything,
    anything,
    anything,
    anything,
    st.integers(1, 8192),
    st.none() | st.integers(1, 8192),
)
def test_whatever_is_sent_there_are_few_answers(
    width, viewport, ratio, save, base, height
) -> None:
    hints = Hints.read(width, viewport, ratio, save)
    fit = "fit" if height is None else "fill"

    result = resolve(Transform(base, height, fit, hinted=True), hints, may_save=True)

    assert result.width in {base, *LADDER}
    assert result.quality in (None, 60)
    assert not result.hinted


@pytest.mark.parametrize(
    ("width", "viewport", "ratio", "expected"),
    [
        ("", "", "", 800),
        ("320", "", "", 320),
        ("321", "", "", 480),
        ("640", "360", "3", 640),
        ("", "360", "2", 800),
        ("", "360", "3", 1200),
        ("", "", "2", 1600),
        ("", "", "1.0", 800),
        ("99999", "", "", 2400),
        ("-1", "x", "nan", 800),
        ("", "", "99", 2400),
        ("0640", "", "", 800),
    ],
)
def test_hints_choose_a_step_of_the_ladder(width, viewport, ratio, expected) -> None:
    hints = Hints.read(width, viewport, ratio, "")

    assert resolve(HINTED, hints, may_save=False) == Transform(expected)


def test_the_height_follows_the_width() -> None:
    transform = Transform(800, 450, "fill", hinted=True)

    result = resolve(transform, Hints(width=1000), may_save=False)

    assert (result.width, result.height) == (1200, 675)


def test_unhinted_addresses_ignore_widths() -> None:
    assert resolve(Transform(800), Hints(width=320, ratio=3), may_save=True) == Transform(800)


@pytest.mark.parametrize(
    ("quality", "value", "may_save", "expected"),
    [
        (None, "on", True, 60),
        (None, " ON ", True, 60),
        (None, "off", True, None),
        (None, "on", False, None),
        (90, "on", True, 90),
    ],
)
def test_saving_data_lowers_the_quality_nobody_set(quality, value, may_save, expected) -> None:
    hints = Hints.read("", "", "", value)

    assert (
        resolve(Transform(800, quality=quality), hints, may_save=may_save).quality == expected
    )
