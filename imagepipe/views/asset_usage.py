"""Where a picture is used, from Wagtail's reference index."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

from django.contrib.auth.models import AbstractBaseUser
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from wagtail.admin.admin_url_finder import AdminURLFinder

from imagepipe.assets.models import Asset

LIMIT = 50


@dataclass(frozen=True, slots=True)
class Use:
    """One page or snippet. Without ``url`` the person may not edit it, nor read its title."""

    title: str
    kind: str
    fields: str
    url: str | None


def usage_of(asset: Asset, user: AbstractBaseUser) -> list[Use]:
    """At most ``LIMIT`` places, in the order of the index."""
    if asset.image is None:
        return []
    finder = AdminURLFinder(user)
    found = []
    for subject, references in islice(asset.image.get_usage(), LIMIT):
        url = finder.get_edit_url(subject)
        kind = subject._meta.verbose_name
        fields = dict.fromkeys(str(r.describe_source_field()) for r in references)
        found.append(
            Use(
                title=str(subject) if url else _("(Private %(object)s)") % {"object": kind},
                kind=capfirst(references[0].model_name),
                fields=", ".join(fields),
                url=url,
            )
        )
    return found
