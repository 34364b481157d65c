"""The switch on a picture's page that opens it to viewers."""

from __future__ import annotations

import uuid

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST
from wagtail.admin import messages

from imagepipe.assets.models import Asset
from imagepipe.conf import get_settings
from imagepipe.delivery.iiif_actions import SetIiif
from imagepipe.exceptions import ImagepipeError
from imagepipe.urlspec.iiif import image_service
from imagepipe.views.access import open_asset


def information_url(asset: Asset) -> str:
    """What people paste into a viewer."""
    return f"{get_settings().EDGE_URL}{image_service(asset.uid.hex)}/info.json"


@require_POST
def set_iiif(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    """Open the picture where ``open`` is posted, else close it."""
    asset = open_asset(request.user, uid)
    is_open = bool(request.POST.get("open"))
    try:
        SetIiif(asset, request.user, is_open=is_open).execute()
    except ImagepipeError as error:
        messages.error(request, str(error))
    else:
        opened, closed = _("The picture is open to viewers."), _("Viewers no longer see it.")
        messages.success(request, opened if is_open else closed)
    return redirect("imagepipe_admin:asset", uid)
