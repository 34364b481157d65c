"""Whether a prompt is longer than a model can read."""

from __future__ import annotations

import copy
from typing import Any

from imagepipe.generation.request import Request

SPECIAL_TOKENS = 2
"""Which a tokenizer puts around a text."""


def prompt_warnings(pipeline: Any, request: Request) -> tuple[str, ...]:
    """Return a sentence for each text of which the pipeline's tokenizer drops the end."""
    tokenizer = getattr(pipeline, "tokenizer", None)
    longest = getattr(tokenizer, "model_max_length", None)
    if tokenizer is None or not isinstance(longest, int) or longest > 100_000:
        return ()
    found = []
    for name, text in (
        ("prompt", request.prompt),
        ("negative prompt", request.negative_prompt),
    ):
        if len(text.encode()) + SPECIAL_TOKENS <= longest:
            continue  # no token is shorter than a byte
        # Truncation is a state of the tokenizer, which other jobs are using.
        own = copy.deepcopy(tokenizer)
        tokens = len(own(text, truncation=False).input_ids)
        if tokens > longest:
            found.append(
                f"The model reads {longest - SPECIAL_TOKENS} tokens; "
                f"the {name} has {tokens - SPECIAL_TOKENS}, "
                "so its end was ignored."
            )
    return tuple(found)
