"""The picture that an edit starts from, as its page needs it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from wagtail.models import Collection

from imagepipe.registry.models import RegisteredModel
from imagepipe.views.access import open_asset, open_candidate
from imagepipe.views.breadcrumbs import Crumbs, asset_crumbs, run_crumbs
from imagepipe.workflow.briefs import Brief
from imagepipe.workflow.models import Run
from imagepipe.workflow.source_pictures import CANDIDATE, VERSION, SourcePicture


@dataclass(frozen=True)
class EditedPicture:
    """What is known of it; words and model are those of its recipe, if it has one."""

    source: SourcePicture
    title: str
    collection: Collection
    recipe: Mapping[str, Any]
    picture_url: str
    back_url: str
    refine_url: str
    extend_url: str
    crumbs: Crumbs

    @property
    def model(self) -> RegisteredModel | None:
        facts = self.recipe.get("model")
        slug = facts.get("slug") if isinstance(facts, Mapping) else None
        return RegisteredModel.objects.filter(slug=slug).first() if slug else None


def open_edited(
    user: AbstractBaseUser, uid: uuid.UUID, number: int | None = None
) -> EditedPicture:
    """The candidate of that uid, or that version of the asset.

    Raises Http404, or PermissionDenied where it is not the person's to see.
    """
    if number is None:
        candidate = open_candidate(user, uid)
        run = candidate.run
        label = _("Picture %(number)d") % {"number": candidate.index + 1}
        page = reverse("imagepipe_admin:candidate", args=[uid])
        return EditedPicture(
            source=SourcePicture.of_candidate(candidate),
            title=run.title,
            collection=run.collection,
            recipe=candidate.recipe or {},
            picture_url=reverse("imagepipe_admin:candidate_picture", args=[uid]),
            back_url=page,
            refine_url=reverse("imagepipe_admin:candidate_refine", args=[uid]),
            extend_url=reverse("imagepipe_admin:candidate_extend", args=[uid]),
            crumbs=[*run_crumbs(run), {"url": page, "label": label}],
        )
    asset = open_asset(user, uid)
    version = get_object_or_404(asset.versions.select_related("asset"), number=number)
    names = {"args": [uid, number]}
    return EditedPicture(
        source=SourcePicture.of_version(version),
        title=asset.title,
        collection=asset.collection,
        recipe=version.recipe or {},
        picture_url=reverse("imagepipe_admin:version_picture", **names),
        back_url=f"{reverse('imagepipe_admin:asset', args=[uid])}?version={number}",
        refine_url=reverse("imagepipe_admin:version_refine", **names),
        extend_url=reverse("imagepipe_admin:version_extend", **names),
        crumbs=asset_crumbs(asset),
    )


@dataclass(frozen=True)
class Origin:
    """A link to the picture that a run edits."""

    label: str
    url: str


def origin_of(user: AbstractBaseUser, run: Run) -> Origin | None:
    """Where the run's edit started, if it is one of a picture that the person may see.

    None for “more like this” as well: it is called a variation.
    """
    edit = Brief.from_dict(run.request).edit
    varied = run.variation_of
    if varied is not None and edit is not None and edit.source.key == varied.uid.hex:
        return None
    if edit is None or not edit.source.may_be_used(user):
        return None
    if edit.source.kind == VERSION and (version := edit.source.version()):
        address = reverse("imagepipe_admin:asset", args=[version.asset.uid])
        number = {"title": version.asset.title, "number": version.number}
        label = _("%(title)s, version %(number)d") % number
        return Origin(label, f"{address}?version={version.number}")
    if edit.source.kind == CANDIDATE and (candidate := edit.source.candidate()):
        number = {"run": candidate.run.title, "number": candidate.index + 1}
        address = reverse("imagepipe_admin:candidate", args=[candidate.uid])
        return Origin(_("%(run)s, picture %(number)d") % number, address)
    return None
