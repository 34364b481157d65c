"""One picture in every state, brought there by the actions and forms that editors use."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
import time
import urllib.request
from collections.abc import Callable
from typing import Any

from django.contrib.auth import get_user_model
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.template import Context, Template
from django.test import Client, TestCase
from django.urls import reverse
from django.utils import timezone
from wagtail.images import get_image_model
from wagtail.images.views.serve import generate_image_url
from wagtail.models import Collection

from imagepipe.assets.models import Asset, AssetVersion, master_name
from imagepipe.delivery.actions import PublishVersion, WithdrawAsset
from imagepipe.delivery.reconcile import reconcile_now
from imagepipe.prompts.models import PromptTemplate
from imagepipe.registry.models import RegisteredModel
from imagepipe.review.actions import ApproveVersion, RejectVersion
from imagepipe.rights.actions import SetRights
from imagepipe.workflow import blobs, leases, runner
from imagepipe.workflow.actions import AcceptCandidate, RejectCandidate, StartRun
from imagepipe.workflow.briefs import Brief
from imagepipe.workflow.models import Candidate, Run
from tests.delivery.library import Library
from tests.doors.pixels import secret

SPECS = ("original", "width-100", "fill-60x60", "max-200x200|format-png")
PAGE = (
    "{% load wagtailimages_tags imagepipe_tags %}"
    "{% image image width-100 %}{% image image original %}{% image image fill-60x60 as x %}"
    "{% picture image %}"
)
RUNTIME = 3  # seconds that the expiring picture may still be shown


@dataclasses.dataclass
class Exhibit:
    """A picture in a state, what was known of it before, and what nobody may see now."""

    hidden: tuple[bytes, ...]
    shown: bytes | None = None
    image_id: int | None = None
    uid: str = ""
    versions: tuple[str, ...] = ()
    """SHA-256 of everything there ever was of it."""
    old_media: tuple[str, ...] = ()
    old_edge: tuple[str, ...] = ()
    guesses: tuple[str, ...] = ()
    """Names that somebody might try in the media folder."""


class Builder:
    """Makes exhibits; ``web`` is an editor's browser."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self.root = Collection.get_first_root_node() or Collection.add_root(name="Root")
        user = get_user_model().objects.create_superuser("ed", "ed@example.com", "x")
        self.web = Client()
        self.web.force_login(user)
        self._colour = self._seed = 0
        self._expiring: tuple[str, float] | None = None

    def secret(self) -> bytes:
        self._colour += 1
        return secret(self._colour)

    def build(self) -> dict[str, Exhibit]:
        """All states; the expiring one first, so that its time runs meanwhile."""
        exhibits = {name: make(self) for name, make in STATES.items()}
        if self._expiring is not None:
            time.sleep(max(0, self._expiring[1] - time.time()))
        return exhibits

    # steps

    def upload(self, content: bytes, **more: Any) -> Asset:
        data = {"title": "Boat", "collection": self.root.pk, **more}
        data["file"] = SimpleUploadedFile("boat.png", content, "image/png")
        with TestCase.captureOnCommitCallbacks(execute=True):
            response = self.web.post(reverse("wagtailimages:add"), data)
        assert response.status_code == 302, response.content
        return Asset.objects.get(image=get_image_model().objects.latest("pk"))

    def replace(self, asset: Asset, content: bytes) -> AssetVersion:
        data = {"title": "Boat", "collection": self.root.pk}
        data["file"] = SimpleUploadedFile("ship.png", content, "image/png")
        url = reverse("wagtailimages:edit", args=(asset.image_id,))
        with TestCase.captureOnCommitCallbacks(execute=True):
            assert self.web.post(url, data).status_code == 302
        return asset.versions.latest("number")

    def publish(self, content: bytes) -> Exhibit:
        """A published picture that has been looked at through every door."""
        asset = self.library.asset()
        self.library.do(PublishVersion(self.library.version(asset, content), None))
        reconcile_now()
        asset.refresh_from_db()
        return self.look(self.exhibit(asset, content))

    def exhibit(self, asset: Asset, *hidden: bytes) -> Exhibit:
        versions = tuple(asset.versions.values_list("sha256", flat=True))
        return Exhibit(hidden, None, asset.image_id, asset.uid.hex, versions, guesses=BOATS)

    def look(self, exhibit: Exhibit) -> Exhibit:
        """Render a page with it, follow all its addresses, and remember them."""
        image = get_image_model().objects.get(pk=exhibit.image_id)
        html = Template(PAGE).render(Context({"image": image}))
        exhibit.old_edge = tuple(dict.fromkeys(re.findall(r"http://[^\s\",]+/k\S+\w", html)))
        served = [generate_image_url(image, spec) for spec in SPECS]
        for url in served:
            assert self.web.get(url).status_code == 200
        files = [image.file.url, *(rendition.file.url for rendition in image.renditions.all())]
        exhibit.old_media = (*files, *served)
        for url in exhibit.old_edge:
            with urllib.request.urlopen(url, timeout=30) as answer:
                answer.read()
        return exhibit

    def candidate(self) -> Candidate:
        model, _new = RegisteredModel.objects.get_or_create(
            slug="sketch",
            defaults={
                "name": "Sketch",
                "backend": "fake",
                "location": "fake",
                "licence": "BSD-3-Clause",
                "native_width": 128,
                "native_height": 128,
                "state": RegisteredModel.State.ALLOWED,
            },
        )
        template, _new = PromptTemplate.objects.get_or_create(
            slug="door",
            defaults={
                "name": "Door",
                "subject": "a {subject}",
                "model": model,
                "width": 192,
                "height": 192,
                "steps": 6,
            },
        )
        self._seed += 1
        variables = {"subject": f"door in colour {self._seed}"}
        brief = Brief(variables=variables, candidates=1, seed=self._seed, seed_policy="fixed")
        run = StartRun(Run(title="Door", template=template), None, brief=brief).execute()
        owner = leases.new_owner()
        claimed = leases.claim(owner, run.uid.hex)
        assert claimed is not None
        runner.execute(claimed, owner, heartbeat=False)
        return run.candidates.get()

    def offered(self, candidate: Candidate) -> Exhibit:
        sha256 = candidate.sha256
        names = (blobs.blob_name(sha256), f"{sha256}.png", f"{candidate.uid.hex}.png")
        content = blobs.read(sha256)
        return Exhibit((content,), uid=candidate.uid.hex, versions=(sha256,), guesses=names)


BOATS = ("original_images/boat.png", "original_images/ship.png", "original_images/boat_1.png")


def live(builder: Builder) -> Exhibit:
    content = builder.secret()
    exhibit = builder.publish(content)
    return dataclasses.replace(exhibit, hidden=(), shown=content)


def expired(builder: Builder) -> Exhibit:
    """Its time ends by the clock; only the periodic job has run since."""
    exhibit = builder.publish(builder.secret())
    end = timezone.now() + dt.timedelta(seconds=RUNTIME)
    asset = Asset.objects.get(uid=exhibit.uid)
    builder.library.do(SetRights(asset, None, values={"valid_until": end}))
    reconcile_now()
    builder._expiring = (exhibit.uid, end.timestamp())
    return exhibit


def expired_by_hand(builder: Builder) -> Exhibit:
    exhibit = builder.publish(builder.secret())
    asset = Asset.objects.get(uid=exhibit.uid)
    past = timezone.now() - dt.timedelta(days=1)
    builder.library.do(SetRights(asset, None, values={"valid_until": past}))
    return exhibit


def not_yet_valid(builder: Builder) -> Exhibit:
    content = builder.secret()
    asset = builder.library.asset()
    begin = timezone.now() + dt.timedelta(days=1)
    builder.library.do(SetRights(asset, None, values={"valid_from": begin}))
    builder.library.do(PublishVersion(builder.library.version(asset, content), None))
    asset.refresh_from_db()
    return builder.exhibit(asset, content)


def limited_to_a_market(builder: Builder) -> Exhibit:
    exhibit = builder.publish(builder.secret())
    asset = Asset.objects.get(uid=exhibit.uid)
    builder.library.do(SetRights(asset, None, values={"markets": ["NZ"]}))
    return exhibit


def candidate_offered(builder: Builder) -> Exhibit:
    return builder.offered(builder.candidate())


def candidate_rejected(builder: Builder) -> Exhibit:
    candidate = builder.candidate()
    builder.library.do(RejectCandidate(candidate, None, reason="artefact"))
    return builder.offered(candidate)


def accepted_not_published(builder: Builder) -> Exhibit:
    candidate = builder.candidate()
    version = builder.library.do(AcceptCandidate(candidate, None))
    exhibit = builder.offered(candidate)
    return dataclasses.replace(exhibit, uid=version.asset.uid.hex)


def uploaded_draft(builder: Builder) -> Exhibit:
    content = builder.secret()
    return builder.exhibit(builder.upload(content), content)


def created_by_other_code(builder: Builder) -> Exhibit:
    content = builder.secret()
    with TestCase.captureOnCommitCallbacks(execute=True):
        file = ContentFile(content, name="boat.png")
        image = get_image_model().objects.create(title="Boat", file=file)
    return builder.exhibit(Asset.objects.get(image=image), content)


def rejected_version(builder: Builder) -> Exhibit:
    content = builder.secret()
    asset = builder.upload(content)
    builder.library.do(RejectVersion(asset.versions.get(), None, reason="legal"))
    return builder.exhibit(asset, content)


def withdrawn(builder: Builder) -> Exhibit:
    exhibit = builder.publish(builder.secret())
    builder.library.do(
        WithdrawAsset(Asset.objects.get(uid=exhibit.uid), None, reason="complaint")
    )
    return exhibit


def replacement_waiting(builder: Builder) -> Exhibit:
    """A draft over a published picture: the draft is hidden, the published one shown."""
    published, draft = builder.secret(), builder.secret()
    exhibit = builder.publish(published)
    version = builder.replace(Asset.objects.get(uid=exhibit.uid), draft)
    versions = (*exhibit.versions, version.sha256)
    return dataclasses.replace(exhibit, hidden=(draft,), shown=published, versions=versions)


def replaced(builder: Builder) -> Exhibit:
    """The old pixels are gone everywhere: an old address answers with the new picture."""
    old, new = builder.secret(), builder.secret()
    exhibit = builder.publish(old)
    version = builder.replace(Asset.objects.get(uid=exhibit.uid), new)
    builder.library.do(ApproveVersion(version, None))
    version.refresh_from_db()
    builder.library.do(PublishVersion(version, None))
    versions = (*exhibit.versions, version.sha256)
    return dataclasses.replace(exhibit, hidden=(old,), shown=new, versions=versions)


def image_deleted(builder: Builder) -> Exhibit:
    exhibit = builder.publish(builder.secret())
    with TestCase.captureOnCommitCallbacks(execute=True):
        get_image_model().objects.get(pk=exhibit.image_id).delete()
    return exhibit


STATES: dict[str, Callable[[Builder], Exhibit]] = {
    make.__name__: make
    for make in (
        expired,
        live,
        expired_by_hand,
        not_yet_valid,
        limited_to_a_market,
        candidate_offered,
        candidate_rejected,
        accepted_not_published,
        uploaded_draft,
        created_by_other_code,
        rejected_version,
        withdrawn,
        replacement_waiting,
        replaced,
        image_deleted,
    )
}


def guessed_names(exhibit: Exhibit) -> list[str]:
    """Media addresses that somebody who knows the code might try."""
    masters = [master_name(sha256) for sha256 in exhibit.versions]
    return [f"/media/{name}" for name in (*exhibit.guesses, *masters)]
