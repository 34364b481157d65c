from __future__ import annotations

import io
import re

import pytest
from website.demo import progress
from website.demo.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_lines_where_there_is_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "PAUSE", 0)
    output = io.StringIO()
    with Progress(output).step("Drawing") as report:
        for done in (1, 1, 2):
            report(f"{done} of 2")
    text = re.sub(r"\d+\.\d s", "S", output.getvalue())
    assert text.splitlines() == [
        "  … Drawing",
        "  … Drawing: 1 of 2",
        "  … Drawing: 2 of 2",
        "  ✓ Drawing: 2 of 2 (S)",
    ]


def test_without_a_terminal_a_fast_step_does_not_chatter() -> None:
    output = io.StringIO()
    with Progress(output).step("Drawing") as report:
        for done in range(500):
            report(f"{done} of 500")
    assert len(output.getvalue().splitlines()) == 2


def test_one_line_on_a_terminal() -> None:
    output = Terminal()
    with Progress(output).step("Drawing") as report:
        report("1 of 2")
    assert output.getvalue().count("\n") == 1


def test_a_step_that_fails_is_marked() -> None:
    output = io.StringIO()
    with pytest.raises(RuntimeError), Progress(output).step("Drawing"):
        raise RuntimeError
    assert output.getvalue().splitlines()[-1].startswith("  ✗ Drawing")
