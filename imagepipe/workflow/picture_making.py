"""One request brought to its engine, or to the engine of its fallback."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

from imagepipe.generation.backends.protocol import Backend
from imagepipe.generation.downgrades import downgrade
from imagepipe.generation.exceptions import BackendDown, BackendUnavailable, UnsupportedRequest
from imagepipe.generation.request import ModelReference, OnStep, Request, Result
from imagepipe.registry.models import RegisteredModel
from imagepipe.workflow import breakers, fallbacks
from imagepipe.workflow.clock import database_now
from imagepipe.workflow.expenses import Charge, metered
from imagepipe.workflow.models import Run

logger = logging.getLogger("imagepipe.workflow")


@dataclass(frozen=True, slots=True)
class Made:
    """What was asked in the end, of which model, and the result."""

    request: Request
    model: ModelReference
    result: Result
    fallback: str = ""
    """Slug of the model that took the place of the one asked for."""


def make_picture(
    run: Run,
    request: Request,
    facts: Mapping[str, str],
    on_step: OnStep,
    get_backend: Callable[[str], Backend],
    charge: Charge,
) -> Made:
    """Return the picture; ``charge`` is told of each that an engine made.

    ``facts``: slug, location, family, sha256 and backend of the model.

    Raises the errors of :mod:`imagepipe.generation.exceptions`; those of the first engine
    when there is no fallback that can do it.
    """
    model = reference(facts)
    engine, spare = facts["backend"], fallbacks.find(facts["slug"])

    def ask(engine: str, request: Request, model: ModelReference) -> Result:
        make = partial(get_backend(engine).generate, request, model)
        return metered(engine, make, on_step, charge)

    if spare is None:
        return Made(request, model, ask(engine, request, model))
    failure: Exception | None = None
    reason = fallbacks.reason_against(engine, run, database_now())
    if not reason:
        try:
            return Made(request, model, ask(engine, request, model))
        except BackendDown as error:
            breakers.failed(engine, str(error), database_now(), error.retry_after)
            failure, reason = error, str(error).rstrip(".")
        except BackendUnavailable as error:
            failure, reason = error, str(error).rstrip(".")
    return _made_by_fallback(request, facts, spare, reason, failure, get_backend, ask)


def reference(facts: Mapping[str, str]) -> ModelReference:
    return ModelReference(
        slug=facts["slug"],
        location=facts["location"],
        family=facts["family"],
        sha256=facts["sha256"],
    )


def _made_by_fallback(
    request: Request,
    facts: Mapping[str, str],
    spare: RegisteredModel,
    reason: str,
    failure: Exception | None,
    get_backend: Callable[[str], Backend],
    ask: Callable[[str, Request, ModelReference], Result],
) -> Made:
    backend = get_backend(spare.backend)
    model = ModelReference(spare.slug, spare.location, spare.family, spare.sha256)
    try:
        smaller, lost = downgrade(
            replace(request, model=spare.slug),
            backend.capabilities(model),
            same_family=spare.family == facts["family"],
        )
    except UnsupportedRequest as error:
        raise failure or BackendDown(
            f"The engine “{facts['backend']}” cannot be used: {reason}. {error}"
        ) from error
    logger.info("fallback used", extra={"engine": facts["backend"], "model": spare.slug})
    result = ask(spare.backend, smaller, model)
    told = f"“{facts['slug']}” could not be asked: {reason}. “{spare.slug}” made the picture."
    result = replace(result, warnings=(told, *lost, *result.warnings))
    return Made(smaller, model, result, spare.slug)
