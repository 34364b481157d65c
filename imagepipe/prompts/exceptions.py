"""What can be wrong with a prompt; each message is fit to be shown to a person.

PromptError
├── InvalidTemplate   a segment holds braces that are not a variable
├── MissingVariable   a variable has no value and no default
├── UnknownVariable   a value was given for a variable that the template does not have
├── InvalidValue      a value is not among the choices, or is not text
├── EmptyPrompt       nothing is left to say
└── PromptTooLong     more characters than IMAGEPIPE["MAX_PROMPT_LENGTH"]
"""

from __future__ import annotations

from imagepipe.exceptions import ImagepipeError


class PromptError(ImagepipeError):
    """Base of the errors of this package; ``code`` is stable."""

    code = "invalid-prompt"


class InvalidTemplate(PromptError):
    """A segment holds braces that are not a variable."""

    code = "invalid-template"


class MissingVariable(PromptError):
    """Variables have neither a value nor a default; ``names`` says which."""

    code = "missing-variable"

    def __init__(self, message: str, names: tuple[str, ...]) -> None:
        super().__init__(message)
        self.names = names


class UnknownVariable(PromptError):
    """Values were given for variables that the template does not have."""

    code = "unknown-variable"


class InvalidValue(PromptError):
    """A value is not text, or not one of the choices of its variable."""

    code = "invalid-value"


class EmptyPrompt(PromptError):
    """Nothing is left to say."""

    code = "empty-prompt"


class PromptTooLong(PromptError):
    """More characters than are allowed."""

    code = "prompt-too-long"
