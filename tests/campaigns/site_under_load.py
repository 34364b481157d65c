"""The files of a small site for editors that never rest: settings, addresses, first users."""

from __future__ import annotations

SETTINGS = """
from __future__ import annotations
from sandbox_settings import *

ROOT_URLCONF = "load_urls"
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": "INFO"},
}
"""

URLS = """
from __future__ import annotations
import json
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.http import JsonResponse
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt
from wagtail.api.v3.urls import api
from imagepipe.assets.actions import SetAltText
from imagepipe.assets.models import Asset
from imagepipe.delivery.actions import PublishVersion, WithdrawAsset
from imagepipe.delivery.addresses import edge_url
from imagepipe.delivery.models import Publication
from imagepipe.exceptions import ImagepipeError
from imagepipe.models import PromptTemplate, Run
from imagepipe.review.actions import ApproveVersion
from imagepipe.rights.actions import SetRights
from imagepipe.urlspec import parse_transform
from imagepipe.workflow.actions import StartRun
from imagepipe.workflow.briefs import Brief

RIGHTS = {"licence": "MIT", "rights_holder": "Ada"}


def progress(request):
    rows = Run.objects.values("uid", "state", "progress", "message")
    return JsonResponse({"runs": list(rows)})


def publications(request):
    found = [
        edge_url(document, parse_transform("w_320"))
        for document in Publication.objects.values_list("document", flat=True)
        if document.get("published")
    ]
    waiting = Publication.objects.exclude(observed=models.F("desired")).count()
    return JsonResponse({"urls": found, "waiting": waiting})


@csrf_exempt
def act(request, verb):
    user = get_user_model().objects.get(username="ed")
    try:
        return JsonResponse(VERBS[verb](user, json.loads(request.body)))
    except ImagepipeError as error:
        return JsonResponse({"refused": str(error)}, status=409)


def start(user, data):
    run = Run(title="Load", template=PromptTemplate.objects.get())
    brief = Brief(variables={"subject": data["subject"]}, candidates=2)
    return {"run": StartRun(run, user, brief=brief).execute().uid.hex}


def publish(user, data):
    asset = Asset.objects.get(image_id=data["image"])
    version = asset.latest_version()
    SetRights(asset, user, values=RIGHTS).execute()
    SetAltText(asset, user, texts={"en": "Load"}).execute()
    ApproveVersion(version, user).execute()
    version.refresh_from_db()
    PublishVersion(version, user).execute()
    return {}


def withdraw(user, data):
    WithdrawAsset(Asset.objects.get(image_id=data["image"]), user, reason="load").execute()
    return {}


VERBS = {"start": start, "publish": publish, "withdraw": withdraw}

from django.db import models

urlpatterns = [
    path("api/v3/", api.urls),
    path("progress/", progress),
    path("publications/", publications),
    path("act/<slug:verb>/", act),
]
"""

USERS = """
import json
from django.contrib.auth import get_user_model
from wagtail.models import APIToken
user = get_user_model().objects.create_superuser("ed", "ed@example.com", "x")
print(json.dumps(APIToken.create_token(user=user, name="load")[1]))
"""
