"""The library of styles: only cleared pictures of our own, followed or said in words."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from wagtail.models import Collection

from imagepipe.assets.models import Asset, AssetVersion, Lineage
from imagepipe.generation.backends.fake import FakeBackend
from imagepipe.generation.capabilities import Capabilities
from imagepipe.registry.description import describe
from imagepipe.registry.folders import UnusableFolder
from imagepipe.registry.kinds import Kind
from imagepipe.registry.models import RegisteredModel
from imagepipe.rights.actions import SetRights
from imagepipe.workflow.actions import AcceptCandidate, StartRun
from imagepipe.workflow.briefs import Brief, make_plan
from imagepipe.workflow.exceptions import InvalidBrief
from imagepipe.workflow.models import Run, RunState
from imagepipe.workflow.style_actions import AddStyle, RetireStyle, StyleRefused
from imagepipe.workflow.style_models import Style
from imagepipe.workflow.styles import StyleWish, usable_styles

pytestmark = pytest.mark.django_db
CLEARED = {"licence": "own", "rights_holder": "Ada", "following": "own"}


@pytest.fixture
def version(asset: Asset) -> AssetVersion:
    SetRights(asset, None, values=CLEARED).execute()
    version = asset.versions.get()
    version.asset.refresh_from_db()
    return version


@pytest.fixture
def style(version: AssetVersion, editor: User) -> Style:
    words = "soft watercolour, pale blue"
    return AddStyle(version, editor, name="House", words=words, weight=0.7).execute()


def start(model: RegisteredModel, editor: User | None, style: Style, **asked: Any) -> Run:
    brief = Brief(prompt="a boat", candidates=1, seed=3, style=StyleWish.of(style), **asked)
    return StartRun(Run(title="Boat", model=model), editor, brief=brief).execute()


@pytest.mark.parametrize(
    ("rights", "reason"),
    [
        (None, "Nobody has recorded"),
        ({"following": ""}, "Nobody has recorded"),
        ({"following": "forbidden"}, "forbid"),
        ({"persons": "missing"}, "consent"),
        ({"valid_from": dt.timedelta(days=1)}, "not begun"),
        ({"valid_until": dt.timedelta(days=-1)}, "ended"),
    ],
)
def test_what_is_not_cleared_is_refused_with_the_reason(
    asset: Asset, editor: User, rights: dict[str, Any] | None, reason: str
) -> None:
    if rights is not None:
        moments = {
            name: timezone.now() + value if isinstance(value, dt.timedelta) else value
            for name, value in rights.items()
        }
        SetRights(asset, None, values=CLEARED | moments).execute()
    with pytest.raises(StyleRefused, match=reason):
        AddStyle(asset.versions.get(), editor, name="House").execute()
    assert not Style.objects.exists()


def test_what_is_not_approved_or_withdrawn_is_refused(
    version: AssetVersion, editor: User
) -> None:
    for state, reason in (("draft", "approved"), ("rejected", "approved")):
        AssetVersion.objects.filter(pk=version.pk).update(state=state)
        version.refresh_from_db()
        with pytest.raises(StyleRefused, match=reason):
            AddStyle(version, editor, name="House").execute()
    AssetVersion.objects.filter(pk=version.pk).update(state="approved")
    Asset.objects.filter(pk=version.asset.pk).update(withdrawn_at=timezone.now())
    version = AssetVersion.objects.get(pk=version.pk)
    with pytest.raises(StyleRefused, match="withdrawn"):
        AddStyle(version, editor, name="House").execute()


def test_a_style_is_followed_as_a_picture_where_the_engine_can(
    style: Style, model: RegisteredModel, editor: User, finish: Callable[[Run], Run]
) -> None:
    run = finish(start(model, editor, style))
    candidate = run.candidates.get()
    [reference] = [a for a in candidate.recipe["adapters"] if a["kind"] == "reference"]
    assert reference["weight"] == 0.7
    assert candidate.recipe["prompt"] == "a boat"
    accepted = AcceptCandidate(candidate, None).execute()
    edge = Lineage.objects.get(child=accepted)
    assert (edge.parent, edge.relation) == (style.version, "reference")


def without_references(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = FakeBackend.capabilities

    def less(self: FakeBackend, model: Any = None) -> Capabilities:
        return dataclasses.replace(whole(self, model), supports_references=False)

    monkeypatch.setattr(FakeBackend, "capabilities", less)


def test_elsewhere_it_is_said_in_words_and_the_recipe_tells(
    style: Style, model: RegisteredModel, editor: User, finish: Callable[[Run], Run],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    without_references(monkeypatch)
    recipe = finish(start(model, editor, style)).candidates.get().recipe
    assert recipe["prompt"] == "a boat, soft watercolour, pale blue"
    assert "said in words" in recipe["warnings"][0]
    Style.objects.update(words="")
    with pytest.raises(InvalidBrief, match="no words") as refused:
        start(model, editor, style)
    assert refused.value.field == "style"


def test_diffusers_needs_an_adapter_of_the_family(
    style: Style, version: AssetVersion
) -> None:
    pocket = Path(__file__).parents[2] / "fixtures/models/pocket-objects"
    model = RegisteredModel.objects.create(
        kind="checkpoint", slug="pocket", name="Pocket", backend="diffusers", family="sd",
        location=str(pocket), licence="MIT", state="allowed", native_width=128,
        native_height=128,
    )  # fmt: skip
    brief = Brief(prompt="a boat", candidates=1, style=StyleWish.of(style))
    said = make_plan(brief, title="t", template=None, model=model)
    assert said.references == () and said.prompt.endswith("pale blue")
    facts = {"kind": "ip-adapter", "licence": "MIT", "state": "allowed", "location": "x"}
    RegisteredModel.objects.create(slug="xl", name="XL", family="sdxl", **facts)
    assert make_plan(brief, title="t", template=None, model=model).references == ()
    RegisteredModel.objects.create(slug="follow", name="Follow", family="sd", **facts)
    [followed] = make_plan(brief, title="t", template=None, model=model).references
    assert followed["model"]["slug"] == "follow"


def test_rights_that_end_end_the_style_everywhere(
    style: Style, model: RegisteredModel, editor: User, finish: Callable[[Run], Run]
) -> None:
    waiting = start(model, editor, style)
    ended = {"valid_until": timezone.now() - dt.timedelta(minutes=1)}
    SetRights(style.version.asset, None, values=ended).execute()
    assert usable_styles(editor) == []
    with pytest.raises(InvalidBrief, match="ended"):
        start(model, editor, style)
    finish(waiting)
    waiting.refresh_from_db()
    assert waiting.state == RunState.FAILED
    assert "ended" in waiting.error


def test_a_style_of_a_picture_that_is_not_theirs_is_refused(
    style: Style, model: RegisteredModel, root: Collection, person: Callable[..., User]
) -> None:
    own = root.add_child(name="Own")
    stranger = person("fritz", "generate", "view", collection=own)
    assert usable_styles(stranger) == []
    brief = Brief(prompt="a boat", candidates=1, style=StyleWish.of(style))
    run = Run(title="Boat", model=model, collection=own)
    with pytest.raises(PermissionDenied):
        StartRun(run, stranger, brief=brief).execute()


def test_the_form_offers_styles_and_uses_the_chosen_one(
    admin: Client, style: Style, model: RegisteredModel
) -> None:
    place = reverse("imagepipe_admin:generate")
    form = admin.get(place, {"style": style.pk}).context["form"]
    assert list(form.fields["style"].queryset) == [style] and form.opens_expert
    values = {
        "title": "Boat", "template": "", "prompt": "a boat", "candidates": "1", "sheet": "s",
        "model": model.pk, "style": style.pk, "style_weight": "30",
    }  # fmt: skip
    assert admin.post(place, values).status_code == 302
    assert Run.objects.latest("pk").request["style"]["weight"] == 0.3
    RetireStyle(style, None).execute()
    assert "style" in admin.post(place, values).context["form"].errors


def test_a_picture_is_made_a_style_and_retired_in_the_admin(
    admin: Client, asset: Asset
) -> None:
    add = reverse("imagepipe_admin:style_add", args=[asset.uid, 1])
    assert "Nobody has recorded" in admin.get(add).content.decode()
    SetRights(asset, None, values=CLEARED).execute()
    assert add in admin.get(reverse("imagepipe_admin:asset", args=[asset.uid])).content.decode()
    values = {"name": "House", "words": "pale", "weight": "50"}
    assert admin.post(add, values).url == reverse("imagepipe_admin:styles")
    style = Style.objects.get()
    assert (style.name, style.weight) == ("House", 0.5)
    again = admin.post(add, values).content.decode()
    assert "already" in again
    assert "House" in admin.get(reverse("imagepipe_admin:styles")).content.decode()
    admin.post(reverse("imagepipe_admin:style_retire", args=[style.uid]))
    style.refresh_from_db()
    assert style.retired_at is not None


def test_who_may_not_change_pictures_makes_no_styles(
    asset: Asset, browse: Callable[[User], Client], person: Callable[..., User]
) -> None:
    SetRights(asset, None, values=CLEARED).execute()
    client = browse(person("gerd", "view", "generate", "license"))
    add = reverse("imagepipe_admin:style_add", args=[asset.uid, 1])
    client.post(add, {"name": "House", "weight": "50"})
    assert not Style.objects.exists()
    style = AddStyle(asset.versions.get(), None, name="House").execute()
    client.post(reverse("imagepipe_admin:style_retire", args=[style.uid]))
    style.refresh_from_db()
    assert style.retired_at is None


def test_the_registry_knows_an_ip_adapter_by_its_files(tmp_path: Path) -> None:
    numpy = pytest.importorskip("safetensors.numpy")
    import numpy as np

    state = {
        "image_proj.proj.weight": np.zeros((4, 8), "f4"),
        "ip_adapter.1.to_k_ip.weight": np.zeros((16, 768), "f4"),
        "ip_adapter.1.to_v_ip.weight": np.zeros((16, 768), "f4"),
    }
    numpy.save_file(state, tmp_path / "ip-adapter.safetensors")
    with pytest.raises(UnusableFolder):
        describe(tmp_path)
    encoder = tmp_path / "image_encoder"
    encoder.mkdir()
    (encoder / "config.json").write_text("{}")
    numpy.save_file({"x": np.zeros(2, "f4")}, encoder / "model.safetensors")
    found = describe(tmp_path)
    assert (found.kind, found.family) == (Kind.IP_ADAPTER, "sd")
