"""The six verbs in the settings of a group, collection by collection."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from wagtail.admin.forms.collections import collection_member_permission_formset_factory

from imagepipe.assets.models import Asset

GroupAssetPermissionFormSet = collection_member_permission_formset_factory(
    Asset,
    [
        ("view_asset", _("See"), _("See pictures and runs")),
        ("generate_asset", _("Generate"), _("Generate pictures")),
        ("change_asset", _("Change"), _("Change alternative texts, add versions")),
        ("review_asset", _("Review"), _("Approve and reject pictures")),
        ("license_asset", _("Rights"), _("Set rights")),
        ("publish_asset", _("Publish"), _("Publish and withdraw pictures")),
    ],
    "imagepipe/studio/asset_permissions_formset.html",
)
