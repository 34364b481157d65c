"""Asks the policy before anything is computed; a refused prompt ends the run with reasons."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from imagepipe.policy.decision import check_prompt
from imagepipe.policy.rules import load_default_rules
from imagepipe.workflow.context import StepContext
from imagepipe.workflow.exceptions import PromptRefused
from imagepipe.workflow.steps.registry import Step


def run(context: StepContext) -> dict[str, Any]:
    # The negative prompt says what must not appear, so denied words are welcome in it.
    decision = check_prompt(context.node.params["prompt"], load_default_rules())
    if not decision.allowed:
        reasons = dict.fromkeys(reason.message for reason in decision.reasons)
        raise PromptRefused(
            _("The prompt was refused, nothing was generated. %(reasons)s")
            % {"reasons": " ".join(reasons)}
        )
    return decision.to_dict()


STEP = Step(
    "prompt-policy",
    run,
    weight=0.1,
    takes=(),
    gives="policy",
)
