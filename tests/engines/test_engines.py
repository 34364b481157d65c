"""Engines in the database: keys at rest, changes by actions, use by the workflow."""

from __future__ import annotations

import json
import re
import stat
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.urls import reverse

from imagepipe.audit.models import AuditEvent
from imagepipe.generation import engines, sealing
from imagepipe.generation.actions import (
    ChangeEngine,
    CreateEngine,
    InvalidEngine,
    ReplaceKey,
    SwitchEngine,
)
from imagepipe.generation.exceptions import BackendUnavailable
from imagepipe.generation.models import Engine
from imagepipe.generation.request import ModelReference, Request
from imagepipe.workflow import breakers
from imagepipe.workflow.clock import database_now
from imagepipe.workflow.steps.generate import get_backend
from tests.engines.images_api_server import KEY, SIZES, ImagesAPIServer

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def keys(settings: Any, tmp_path: Path) -> Path:
    settings.IMAGEPIPE = {**settings.IMAGEPIPE, "KEYS": tmp_path / "keys"}
    return tmp_path / "keys"


def engine(**values: Any) -> Engine:
    return Engine(**({"name": "images", "kind": "openai-images",
                      "address": "https://engine.example/v1"} | values))  # fmt: skip


def create(key: str = KEY, **values: Any) -> Engine:
    return CreateEngine(engine(**values), None, key=key).execute()


def test_a_key_is_sealed_at_rest_and_opens_again(keys: Path) -> None:
    made = create()
    stored = Engine.objects.values().get()
    assert KEY not in json.dumps(stored, default=str)
    assert engines.open_key(made) == KEY
    assert stat.S_IMODE((keys / "engine-keys.json").stat().st_mode) == 0o600
    other = create(name="other")
    assert other.sealed_key != made.sealed_key


def test_a_sealed_key_is_of_no_use_elsewhere() -> None:
    made = create()
    for moved in (
        engine(name="thief", sealed_key=made.sealed_key),
        engine(uid=made.uid, address="https://thief.example", sealed_key=made.sealed_key),
        engine(uid=made.uid, sealed_key=made.sealed_key[:-6] + "AAAAA="),
        engine(uid=made.uid, sealed_key="e9" + made.sealed_key[2:]),
        engine(uid=made.uid, sealed_key="nonsense"),
    ):
        with pytest.raises(BackendUnavailable, match="Enter it anew"):
            engines.open_key(moved)


def test_whoever_moves_an_engine_must_know_its_key() -> None:
    made = create()
    elsewhere = {"address": "https://thief.example/v1"}
    with pytest.raises(InvalidEngine, match="enter the key"):
        ChangeEngine(made, None, values=elsewhere).execute()
    assert Engine.objects.get().address == "https://engine.example/v1"
    moved = ChangeEngine(made, None, values=elsewhere, key="sk-other").execute()
    assert engines.open_key(moved) == "sk-other"
    same = ChangeEngine(made, None, values={"address": "https://thief.example/v2"}).execute()
    assert engines.open_key(same) == "sk-other"


def test_rotation_keeps_what_was_sealed_readable() -> None:
    made = create()
    assert sealing.add_key() == "e2"
    assert engines.open_key(made) == KEY
    again = ReplaceKey(made, None, key=KEY).execute()
    assert again.sealed_key.startswith("e2.")
    sealing.drop_old_keys()
    assert engines.open_key(again) == KEY


def test_the_audit_trail_knows_that_there_is_a_key_and_not_which() -> None:
    made = create()
    ReplaceKey(made, None, key="sk-second-key").execute()
    ChangeEngine(made, None, values={"concurrent": 2}, key="sk-third-key").execute()
    events = list(AuditEvent.objects.filter(action__startswith="imagepipe.engine"))
    assert len(events) == 3
    told = json.dumps([event.data for event in events])
    assert not re.search("sk-", told)
    assert events[-1].data["key_replaced"] is True


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": "diffusers"}, "name"),
        ({"name": "two words"}, "name"),
        ({"kind": "magic"}, "kind"),
        ({"address": "file:///etc/passwd"}, "address"),
        ({"address": "http://169.254.169.254/"}, "address"),
        ({"address": "http://user:secret@host/"}, "address"),
        ({"options": {"key": "x"}}, "options"),
        ({"options": {"unknown": 1}}, "options"),
        ({"options": [1]}, "options"),
        ({"options": {"sizes": ["wide"]}}, "options"),
    ],
)
def test_engines_that_cannot_be_used_are_refused(values: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidEngine) as failure:
        create(**values)
    assert failure.value.field == field
    assert not Engine.objects.exists()


def test_the_workflow_uses_an_engine_by_its_name() -> None:
    with ImagesAPIServer() as server:
        made = create(address=server.address + "/v1", options={"sizes": list(SIZES)})
        backend = get_backend("images")
        asked = Request("a red apple", "gpt", 7, 64, 64)
        assert backend.generate(asked, ModelReference("gpt")).image().size == (64, 64)
        assert get_backend("images") is backend
        ReplaceKey(made, None, key="sk-wrong-key").execute()
        with pytest.raises(BackendUnavailable, match="does not accept the key"):
            get_backend("images").generate(asked, ModelReference("gpt"))
        SwitchEngine(made, None, on=False).execute()
        with pytest.raises(BackendUnavailable, match="is disabled"):
            get_backend("images")
    assert get_backend("fake").name == "fake"


def test_limits_of_an_engine_hold_in_the_queue() -> None:
    create(concurrent=1)
    assert engines.limits() == {"images": {"concurrent": 1}}
    assert breakers.admit("images", database_now())
    assert "images" not in breakers.resting(database_now())


def test_an_engine_that_asks_for_a_pause_rests_so_long() -> None:
    now = database_now()
    breakers.failed("images", "busy", now, 40.0)
    assert "images" in breakers.resting(now)
    import datetime as dt

    assert "images" not in breakers.resting(now + dt.timedelta(seconds=41))


@pytest.fixture
def admin(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("boss"))
    return client


FORM = {"name": "images", "kind": "openai-images", "address": "https://engine.example/v1",
        "key": KEY, "options": "{}", "concurrent": "2", "per_minute": ""}  # fmt: skip


def test_the_pages_never_show_a_key(admin: Client) -> None:
    added = admin.post(reverse("imagepipe_admin:engine_add"), FORM, follow=True)
    assert added.redirect_chain and "images" in added.content.decode()
    made = Engine.objects.get()
    assert engines.open_key(made) == KEY
    page = admin.get(reverse("imagepipe_admin:engine", args=[made.pk])).content.decode()
    assert "A key is stored" in page
    failed = admin.post(
        reverse("imagepipe_admin:engine", args=[made.pk]), FORM | {"address": "ftp://x"}
    ).content.decode()
    assert "begins with http" in failed
    listing = admin.get(reverse("imagepipe_admin:engines")).content.decode()
    for shown in (page, failed, listing):
        assert KEY not in shown and made.sealed_key not in shown


def test_a_key_stays_is_replaced_and_is_forgotten_by_the_form(admin: Client) -> None:
    made = create()
    address = reverse("imagepipe_admin:engine", args=[made.pk])
    assert admin.post(address, FORM | {"key": ""}).status_code == 302
    assert engines.open_key(Engine.objects.get()) == KEY
    assert admin.post(address, FORM | {"key": "sk-new-key"}).status_code == 302
    assert engines.open_key(Engine.objects.get()) == "sk-new-key"
    assert admin.post(address, FORM | {"key": "", "remove_key": "on"}).status_code == 302
    assert not Engine.objects.get().has_key


def test_an_engine_is_switched_off_and_on(admin: Client) -> None:
    made = create()
    switch = reverse("imagepipe_admin:engine_switch", args=[made.pk])
    for on in (False, True):
        admin.post(switch, {"on": str(int(on))})
        assert Engine.objects.get().enabled is on


def test_who_may_not_change_engines_sees_and_does_nothing(client: Client) -> None:
    made = create()
    user = User.objects.create_user("editor")
    user.user_permissions.add(Permission.objects.get(codename="access_admin"))
    client.force_login(user)
    pages = [reverse("imagepipe_admin:engines"), reverse("imagepipe_admin:engine_add"),
             reverse("imagepipe_admin:engine", args=[made.pk])]  # fmt: skip
    for page in pages:
        assert client.get(page).status_code in (302, 403)
        assert client.post(page, FORM).status_code in (302, 403, 405)
    client.post(reverse("imagepipe_admin:engine_switch", args=[made.pk]), {"on": "0"})
    made.refresh_from_db()
    assert made.enabled and Engine.objects.count() == 1
    with pytest.raises(PermissionDenied):
        ReplaceKey(made, user, key="sk-mine").execute()
