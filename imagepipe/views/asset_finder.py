"""How the rest of Wagtail's admin finds the pictures of the Studio."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils.translation import ngettext
from wagtail.admin.admin_url_finder import ModelAdminURLFinder
from wagtail.models import Collection

from imagepipe.assets.models import Asset
from imagepipe.views.access import visible_assets


class AssetURLFinder(ModelAdminURLFinder):
    """The page of a picture, for those who may see it."""

    def get_edit_url(self, instance: Asset) -> str | None:
        if not visible_assets(self.user).filter(pk=instance.pk).exists():
            return None
        return reverse("imagepipe_admin:asset", args=[instance.uid])


def collection_contents(collection: Collection) -> dict[str, Any] | None:
    """What lies in a collection; Wagtail does not delete one that is not empty."""
    count = Asset.objects.filter(collection=collection).count()
    if not count:
        return None
    text = ngettext("%(count)s picture", "%(count)s pictures", count) % {"count": count}
    url = f"{reverse('imagepipe_admin:assets')}?collection={collection.pk}"
    return {"count": count, "count_text": text, "url": url}
