"""The text format of Prometheus, version 0.0.4; gauges only."""

from __future__ import annotations

from collections.abc import Iterable

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
Labels = tuple[tuple[str, str], ...]


def render(samples: Iterable[tuple[str, str, Labels, float]]) -> str:
    """Return samples of name, help, labels and value as text, grouped by name."""
    groups: dict[str, list[str]] = {}
    for name, text, labels, value in samples:
        lines = groups.setdefault(
            name, [f"# HELP {name} {_escape(text)}", f"# TYPE {name} gauge"]
        )
        lines.append(f"{name}{_labels(labels)} {_number(value)}")
    return "".join(f"{line}\n" for lines in groups.values() for line in lines)


def _labels(labels: Labels) -> str:
    if not labels:
        return ""
    pairs = (f'{name}="{_escape(value, quote=True)}"' for name, value in labels)
    return "{" + ",".join(pairs) + "}"


def _escape(text: str, *, quote: bool = False) -> str:
    text = text.replace("\\", "\\\\").replace("\n", "\\n")
    return text.replace('"', '\\"') if quote else text


def _number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else repr(float(value))
