"""From typed segments and variables to the final prompt. Pure text, no template language.

The only syntax is ``{name}``; ``{{`` and ``}}`` are literal braces. There is no attribute
access, no format specification and no second expansion: a value is inserted as it is, so a
hostile value can only ever be words.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from imagepipe.prompts.exceptions import (
    EmptyPrompt,
    InvalidTemplate,
    InvalidValue,
    MissingVariable,
    PromptTooLong,
    UnknownVariable,
)
from imagepipe.prompts.models import SEGMENTS, PromptTemplate

ORDER = ("subject", *(segment for segment in SEGMENTS if segment != "subject"))
NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_TOKEN = re.compile(r"\{\{|\}\}|\{([a-z][a-z0-9_]{0,39})\}|[{}]")
_INVISIBLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+")


@dataclass(frozen=True, slots=True)
class RenderedPrompt:
    """The final texts, and every variable with the value that went in."""

    prompt: str
    negative: str
    variables: tuple[tuple[str, str], ...]


def render(
    template: PromptTemplate, values: Mapping[str, Any], *, max_length: int
) -> RenderedPrompt:
    """Return the prompt of ``template`` filled with ``values``.

    Segments are joined by ``", "``, the subject first; empty ones are left out. Raises a
    :class:`~imagepipe.prompts.exceptions.PromptError`.
    """
    chosen = _choose(template, values)
    segments = (fill(getattr(template, segment), chosen) for segment in ORDER)
    prompt = ", ".join(segment for segment in segments if segment)
    negative = fill(template.negative, chosen)
    check_length(prompt, negative, max_length=max_length)
    return RenderedPrompt(prompt, negative, tuple(sorted(chosen.items())))


def find_variables(template: PromptTemplate) -> tuple[str, ...]:
    """Return the names of all variables, in order of appearance, each once.

    Raises :class:`InvalidTemplate` for stray braces.
    """
    texts = [getattr(template, segment) for segment in ORDER] + [template.negative]
    return tuple(dict.fromkeys(name for text in texts for name in _names(text)))


def fill(text: str, values: Mapping[str, str]) -> str:
    """Return ``text`` with its variables replaced, white space and loose commas tidied."""

    def replace(match: re.Match[str]) -> str:
        token = match.group(0)
        if token in ("{{", "}}"):
            return token[0]
        if match.group(1) is None:
            raise _stray(text, match.start())
        return values[match.group(1)]

    return tidy(_TOKEN.sub(replace, text)).strip(", ")


def tidy(text: str) -> str:
    """Return ``text`` on one line, without control characters and double spaces."""
    return " ".join(_INVISIBLE.sub(" ", text).split())


def check_length(prompt: str, negative: str = "", *, max_length: int) -> None:
    """Raise :class:`EmptyPrompt` or :class:`PromptTooLong`; lengths are in characters."""
    if not prompt.strip():
        raise EmptyPrompt(_("The prompt is empty. Say what the picture shall show."))
    if len(prompt) > max_length:
        raise PromptTooLong(
            _(
                "The prompt has %(length)d characters; at most %(limit)d are possible. "
                "Shorten it."
            )
            % {"length": len(prompt), "limit": max_length}
        )
    if len(negative) > max_length:
        raise PromptTooLong(
            _(
                "The negative prompt has %(length)d characters; at most %(limit)d are "
                "possible. Shorten it."
            )
            % {"length": len(negative), "limit": max_length}
        )


def fingerprint(template: PromptTemplate) -> str:
    """Return 16 hex digits that change whenever the texts of the template do."""
    texts = [getattr(template, segment) for segment in ORDER] + [template.negative]
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:16]


def _choose(template: PromptTemplate, values: Mapping[str, Any]) -> dict[str, str]:
    names = find_variables(template)
    if unknown := sorted(str(name)[:40] for name in values if name not in names):
        raise UnknownVariable(
            _("The template has no variable %(names)s.") % {"names": _listing(unknown[:5])}
        )
    declared = declarations(template.variables)
    chosen: dict[str, str] = {}
    for name in names:
        value = values.get(name)
        if value is None:
            value = declared.get(name, {}).get("default")
        if value is not None:
            chosen[name] = _checked(name, value, declared.get(name, {}))
    if missing := tuple(name for name in names if name not in chosen):
        raise MissingVariable(
            _("Fill in %(names)s: the template needs it.") % {"names": _listing(missing)},
            missing,
        )
    return chosen


def declarations(variables: Any) -> dict[str, dict[str, Any]]:
    """Index the declarations by name; anything that is not one is passed over."""
    if not isinstance(variables, list):
        return {}
    return {
        entry["name"]: entry
        for entry in variables
        if isinstance(entry, dict) and isinstance(entry.get("name"), str)
    }


def _checked(name: str, value: Any, declaration: Mapping[str, Any]) -> str:
    if not isinstance(value, str) or any("\ud800" <= c <= "\udfff" for c in value):
        raise InvalidValue(_("The value of “%(name)s” must be text.") % {"name": name})
    value = tidy(value)
    choices = declaration.get("choices")
    if isinstance(choices, list) and choices and value not in choices:
        raise InvalidValue(
            _("“%(value)s” is not possible for “%(name)s”. Choose one of: %(choices)s.")
            % {"value": value[:60], "name": name, "choices": ", ".join(map(str, choices))}
        )
    return value


def _names(text: str) -> Iterable[str]:
    for match in _TOKEN.finditer(text):
        if match.group(1) is not None:
            yield match.group(1)
        elif match.group(0) in "{}":
            raise _stray(text, match.start())


def _stray(text: str, position: int) -> InvalidTemplate:
    excerpt = text[max(0, position - 10) : position + 20]
    return InvalidTemplate(
        _(
            "“%(excerpt)s” holds a brace that is not a variable. Variables are written "
            "{name} with small letters, digits and underscores; write {{ for a brace."
        )
        % {"excerpt": excerpt}
    )


def _listing(names: Iterable[str]) -> str:
    return ", ".join(_("“%(name)s”") % {"name": name} for name in names)
