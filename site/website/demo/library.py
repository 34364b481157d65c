"""Brings the demonstration's pictures into the library, as its people would."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from wagtail.images import get_image_model
from wagtail.images.forms import get_image_form
from wagtail.models import Collection

from imagepipe.assets.actions import SetAltText
from imagepipe.assets.models import Asset, AssetVersion
from imagepipe.delivery.actions import PublishVersion
from imagepipe.delivery.images import project_image
from imagepipe.prompts.models import PromptTemplate
from imagepipe.review.actions import ApproveVersion
from imagepipe.rights.actions import SetRights
from imagepipe.workflow.actions import AcceptCandidate, StartRun
from imagepipe.workflow.briefs import Brief
from imagepipe.workflow.models import Candidate, Run, RunState
from website.demo.orders import ORDERS, PHOTOGRAPHS, Order, Photograph
from website.demo.progress import Report

OWN_WORK = {
    "licence": "CC0 1.0",
    "licence_url": "https://creativecommons.org/publicdomain/zero/1.0/",
    "rights_holder": "The Harbour Room",
}


class RunUnfinished(RuntimeError):
    """A run of the demonstration failed or offered nothing; the message says which."""


@dataclass(frozen=True)
class People:
    """Who does what."""

    editor: User
    reviewer: User
    rights: User
    publisher: User

    @classmethod
    def load(cls) -> People:
        names = ("editor", "reviewer", "rights", "publisher")
        return cls(**{name: User.objects.get(username=name) for name in names})


def order_pictures(people: People) -> list[Run]:
    """Queue a run for each picture that nobody has ordered yet; returns all runs."""
    return [_find_run(order) or _start(order, people.editor) for order in ORDERS]


def wait_for(runs: list[Run], report: Report, alive: Callable[[], None]) -> None:
    """Return when all runs are finished. ``alive`` raises when the worker has ended."""
    keys = [run.pk for run in runs]
    while True:
        states = list(Run.objects.filter(pk__in=keys).values_list("state", flat=True))
        finished = sum(state not in (RunState.QUEUED, RunState.RUNNING) for state in states)
        report(f"{finished} of {len(keys)}")
        if finished == len(keys):
            return
        alive()
        time.sleep(0.5)


def publish_generated(people: People, report: Report) -> dict[str, Any]:
    """Accept, license and publish the first good candidate of each run; images by key."""
    images = {}
    for number, order in enumerate(ORDERS, start=1):
        asset = _accepted(order) or _accept(order, people)
        images[order.key] = _publish(asset, order.alt, OWN_WORK, people)
        report(f"{number} of {len(ORDERS)}")
    return images


def publish_photographs(people: People, report: Report) -> dict[str, Any]:
    """Upload, approve, license and publish the photographs; images by key."""
    images = {}
    for number, photograph in enumerate(PHOTOGRAPHS, start=1):
        asset = _uploaded(photograph) or _upload(photograph, people)
        rights = {
            "licence": photograph.licence,
            "licence_url": photograph.licence_url,
            "rights_holder": photograph.rights_holder,
            "persons": photograph.persons,
        }
        images[photograph.key] = _publish(asset, photograph.alt, rights, people)
        report(f"{number} of {len(PHOTOGRAPHS)}")
    return images


def _find_run(order: Order) -> Run | None:
    runs = Run.objects.filter(title=order.title, request__seed=order.seed, variation_of=None)
    return runs.exclude(state__in=(RunState.FAILED, RunState.CANCELLED)).first()


def _start(order: Order, user: User) -> Run:
    brief = Brief(
        variables={"object": order.object, "colour": order.colour},
        candidates=order.candidates,
        seed_policy=PromptTemplate.SeedPolicy.SERIES,
        seed=order.seed,
    )
    template = PromptTemplate.objects.get(slug=order.template)
    run = Run(title=order.title, template=template, collection=_collection())
    return StartRun(run, user, brief=brief).execute()


def _accepted(order: Order) -> Asset | None:
    run = _find_run(order)
    accepted = Candidate.objects.filter(run=run, state=Candidate.State.ACCEPTED).first()
    return accepted.asset if accepted else None


def _accept(order: Order, people: People) -> Asset:
    run = _find_run(order)
    offered = Candidate.objects.filter(run=run, state=Candidate.State.OFFERED).first()
    if offered is None:
        findings = Candidate.objects.filter(run=run).values_list("findings", flat=True)
        last = Run.objects.filter(title=order.title).first()
        reason = last.error if last and last.error else list(findings)
        raise RunUnfinished(f"No picture of “{order.title}” could be used: {reason}")
    version = AcceptCandidate(offered, people.reviewer, title=order.title).execute()
    return version.asset


def _uploaded(photograph: Photograph) -> Asset | None:
    version = AssetVersion.objects.filter(
        file_name__contains=photograph.key, origin=AssetVersion.Origin.UPLOADED
    ).first()
    return version.asset if version else None


def _upload(photograph: Photograph, people: People) -> Asset:
    """Through the same form as Wagtail's own “Add image”."""
    content = files("skimage").joinpath("data", photograph.file).read_bytes()
    suffix = photograph.file.rpartition(".")[2]
    model = get_image_model()
    form = get_image_form(model)(
        {"title": photograph.title, "collection": _collection().pk, "tags": ""},
        {"file": SimpleUploadedFile(f"{photograph.key}.{suffix}", content)},
        instance=model(uploaded_by_user=people.editor),
        user=people.editor,
    )
    if not form.is_valid():
        raise RunUnfinished(f"{photograph.file}: {form.errors.as_text()}")
    return Asset.objects.get(image=form.save())


def _publish(
    asset: Asset, alt: Mapping[str, str], rights: Mapping[str, Any], people: People
) -> Any:
    """Do what is missing until the picture is published; return its Wagtail image."""
    if asset.published_version is None and asset.withdrawn_at is None:
        version = asset.versions.latest("number")
        if version.state == AssetVersion.State.DRAFT:
            ApproveVersion(version, people.reviewer).execute()
        SetRights(asset, people.rights, values=rights).execute()
        SetAltText(asset, people.editor, texts=alt).execute()
        PublishVersion(version, people.publisher).execute()
    asset.refresh_from_db()
    if asset.image_id is None:
        project_image(asset.uid)
        asset.refresh_from_db()
    return asset.image


def _collection() -> Collection:
    return Collection.get_first_root_node()
