"""What a template says with the values that its variables begin with, segment by segment."""

from __future__ import annotations

from dataclasses import dataclass

from imagepipe.prompts.exceptions import PromptError
from imagepipe.prompts.models import PromptTemplate
from imagepipe.prompts.rendering import ORDER, declarations, fill, find_variables


@dataclass(frozen=True, slots=True)
class Preview:
    """``error`` says what keeps the template from being used; the texts are empty then."""

    prompt: str = ""
    negative: str = ""
    segments: tuple[tuple[str, str], ...] = ()
    """Name as people read it, and text; those that say nothing are left out."""
    variables: tuple[tuple[str, str], ...] = ()
    """Label and value; what has no default stands in angle brackets in the texts."""
    error: str = ""


def preview(template: PromptTemplate) -> Preview:
    """Return the preview of a template, saved or not."""
    declared = declarations(template.variables)
    try:
        names = find_variables(template)
        values = {name: _example(name, declared.get(name, {})) for name in names}
        texts = [(name, fill(getattr(template, name) or "", values)) for name in ORDER]
        negative = fill(template.negative or "", values)
    except PromptError as error:
        return Preview(error=str(error))
    said = [(name, text) for name, text in texts if text]
    fields = template._meta.get_field
    return Preview(
        prompt=", ".join(text for _name, text in said),
        negative=negative,
        segments=tuple((str(fields(name).verbose_name), text) for name, text in said),
        variables=tuple(
            (str(declared.get(name, {}).get("label") or name), values[name]) for name in names
        ),
    )


def _example(name: str, declaration: dict[str, object]) -> str:
    default, choices = declaration.get("default"), declaration.get("choices")
    if isinstance(default, str) and default:
        return default
    if isinstance(choices, list) and choices and isinstance(choices[0], str):
        return choices[0]
    return f"‹{declaration.get('label') or name}›"
