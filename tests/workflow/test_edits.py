"""Refining and extending pictures through whole runs, with the engine that ships as a fake."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import Group, User
from django.core.exceptions import PermissionDenied
from PIL import Image, ImageDraw
from wagtail.models import Collection

from imagepipe.assets import masters
from imagepipe.assets.actions import IngestVersion
from imagepipe.assets.inspection import inspect_picture
from imagepipe.assets.models import Asset, AssetVersion, Lineage
from imagepipe.credentials import parse_xmp, read_xmp, verify
from imagepipe.credentials.metadata import SourceType
from imagepipe.exceptions import InvalidState
from imagepipe.generation import canvas
from imagepipe.registry.models import RegisteredModel
from imagepipe.workflow import blobs, masks, sweep
from imagepipe.workflow.actions import AcceptCandidate, StartRun
from imagepipe.workflow.briefs import Brief
from imagepipe.workflow.conditions import AdapterWish, ControlWish
from imagepipe.workflow.edits import Edit
from imagepipe.workflow.exceptions import InvalidBrief
from imagepipe.workflow.frames import to_shape
from imagepipe.workflow.graph import Graph
from imagepipe.workflow.models import Candidate, Run
from imagepipe.workflow.source_pictures import SourcePicture
from imagepipe.workflow.steps.registry import check_types

Finish = Callable[[Run], Run]
BOX = (0.25, 0.25, 0.25, 0.5)


def picture(width: int = 320, height: int = 240, mode: str = "RGB") -> Image.Image:
    """Every pixel differs from its neighbours, so that any resampling shows."""
    random = np.random.default_rng(width * 7 + height)
    plain = Image.new(mode, (width, height), (70, 110, 160, 200)[: len(mode)])
    draw = ImageDraw.Draw(plain)
    draw.ellipse((80, 60, 240, 180), fill=(200, 60, 40, 255)[: len(mode)])
    draw.rectangle((20, 150, 90, 220), fill=(240, 230, 90, 255)[: len(mode)])
    noise = random.integers(0, 9, (height, width, len(mode)), dtype=np.uint8)
    return Image.fromarray(np.asarray(plain) - noise)


def png(image: Image.Image) -> bytes:
    output = io.BytesIO()
    image.save(output, "PNG")
    return output.getvalue()


def upload(image: Image.Image, user: User, **asset: Any) -> AssetVersion:
    content = png(image)
    return IngestVersion(
        Asset(title="Harbour", **asset),
        user,
        content=content,
        facts=inspect_picture(content),
        origin="uploaded",
        source_type=SourceType.DIGITAL_CAPTURE.value,
    ).execute(skip_permission_checks=True)


@pytest.fixture
def version(root: Collection, editor: User) -> AssetVersion:
    return upload(picture(), editor)


@pytest.fixture
def ask(model: RegisteredModel, editor: User) -> Callable[..., Run]:
    def ask(edit: Edit | None, user: User = editor, **brief: Any) -> Run:
        asked = {"prompt": "a blue boat", "candidates": 1, "seed": 5} | brief
        run = Run(title="Harbour, mended", model=model)
        return StartRun(run, user, brief=Brief(edit=edit, **asked)).execute()

    return ask


def inpaint(version: AssetVersion, **options: Any) -> Edit:
    size = version.width, version.height
    mask = options.pop("mask", None) or masks.make(size, boxes=[BOX])
    return Edit("inpaint", SourcePicture.of_version(version), mask=mask, **options)


def shown(sha256: str) -> Image.Image:
    return Image.open(io.BytesIO(blobs.read(sha256)))


def own_region(width: int, height: int, feather: int) -> np.ndarray:
    """Where pixels may change: the box of the tests and its soft edge, measured anew."""
    rows, columns = np.mgrid[0:height, 0:width]
    left, top = BOX[0] * width, BOX[1] * height
    right, bottom = left + BOX[2] * width - 1, top + BOX[3] * height - 1
    across = np.maximum(0, np.maximum(left - columns, columns - right))
    down = np.maximum(0, np.maximum(top - rows, rows - bottom))
    return np.hypot(across, down) <= feather


@pytest.mark.parametrize("surroundings", [False, True])
def test_pixels_outside_the_feathered_region_stay_exactly_the_source(
    version: AssetVersion, ask: Callable[..., Run], finish: Finish, surroundings: bool
) -> None:
    run = finish(ask(inpaint(version, feather=12, surroundings=surroundings)))
    assert run.state == "succeeded", run.error
    candidate = run.candidates.get()
    assert (candidate.width, candidate.height) == (320, 240)
    before = np.asarray(picture())
    after = np.asarray(shown(candidate.sha256).convert("RGB"))
    changed = (before != after).any(axis=2)
    allowed = own_region(320, 240, 12)
    assert not changed[~allowed].any()
    inner = own_region(320, 240, 0)
    assert changed[inner].mean() > 0.95


def test_the_parts_of_a_transparent_picture_that_stay_keep_their_transparency(
    editor: User, root: Collection, ask: Callable[..., Run], finish: Finish
) -> None:
    source = picture(mode="RGBA")
    run = finish(ask(inpaint(upload(source, editor), feather=0)))
    after = np.asarray(shown(run.candidates.get().sha256))
    assert after.shape[2] == 4
    outside = ~own_region(320, 240, 0)
    assert (after[outside] == np.asarray(source)[outside]).all()
    assert (after[own_region(320, 240, 0)][:, 3] == 255).all()


def test_an_edit_of_a_photograph_is_a_composite_with_the_photograph_as_parent(
    version: AssetVersion, ask: Callable[..., Run], finish: Finish, editor: User, settings: Any
) -> None:
    run = finish(ask(inpaint(version)))
    candidate = run.candidates.get()
    made = AcceptCandidate(candidate, editor).execute()
    composite = SourceType.COMPOSITE_WITH_TRAINED_ALGORITHMIC_MEDIA.value
    assert made.source_type == composite
    edges = [(edge.parent, edge.relation) for edge in made.parent_edges.all()]
    assert edges == [(version, Lineage.Relation.EDIT)]
    root_certificate = settings.IMAGEPIPE["KEYS"] / "credentials" / "root.pem"
    report = verify(masters.read(made.sha256), "image/png", root_certificate.read_bytes())
    assert report.state == "trusted"
    assert report.source_type == composite
    assert [action.split(".")[-1] for action in report.actions] == ["opened", "edited"]


def test_new_room_without_a_model_continues_the_ground_and_claims_no_model(
    version: AssetVersion, ask: Callable[..., Run], finish: Finish, editor: User, settings: Any
) -> None:
    source = SourcePicture.of_version(version)
    frame = to_shape((320, 240), "16:9")
    run = finish(ask(Edit("outpaint", source, feather=0, frames=(frame,), ground=True)))
    assert run.state == "succeeded", run.error
    assert not run.guides.exists()
    candidate = run.candidates.get()
    after = shown(candidate.sha256).convert("RGB")
    assert after.size == (frame.width, frame.height)
    inside = (frame.left, frame.top, frame.left + 320, frame.top + 240)
    assert after.crop(inside).tobytes() == picture().tobytes()
    ground = canvas.continued(picture(), after.size, (frame.left, frame.top))
    assert np.abs(np.asarray(after, int) - np.asarray(ground, int)).mean() < 2
    recipe = candidate.recipe
    assert recipe["environment"]["backend"] == "ground"
    assert recipe["model"]["slug"] == "continued-ground"
    made = AcceptCandidate(candidate, editor).execute()
    assert made.source_type == SourceType.ALGORITHMICALLY_ENHANCED.value
    content = masters.read(made.sha256)
    assert parse_xmp(read_xmp(content, "image/png") or b"").ai_system == ""
    root_certificate = settings.IMAGEPIPE["KEYS"] / "credentials" / "root.pem"
    report = verify(content, "image/png", root_certificate.read_bytes())
    assert report.state == "trusted"
    assert report.source_type == SourceType.ALGORITHMICALLY_ENHANCED.value
    older = {k: v for k, v in run.request["edit"].items() if k != "ground"}
    assert not Edit.from_dict(older).ground, "edits written down before there was a choice"
    with pytest.raises(InvalidBrief, match="Only new room"):
        ask(inpaint(version, ground=True))


def test_a_candidate_is_refined_and_what_comes_out_stays_generated(
    start: Callable[..., Run], ask: Callable[..., Run], finish: Finish, editor: User
) -> None:
    first = finish(start(candidates=1)).candidates.get()
    whole = masks.make((first.width, first.height), boxes=[(0.5, 0.5, 0.5, 0.5)])
    edit = Edit("inpaint", SourcePicture.of_candidate(first), mask=whole)
    second = finish(ask(edit)).candidates.get()
    assert second.state == Candidate.State.OFFERED, second.findings
    edit = Edit("image-to-image", SourcePicture.of_candidate(second), strength=0.4)
    run = finish(ask(edit))
    third = run.candidates.get()
    assert third.recipe["mode"] == "image-to-image"
    assert third.recipe["strength"] == 0.4
    assert run.request["source_type"] == SourceType.TRAINED_ALGORITHMIC_MEDIA.value
    accepted = AcceptCandidate(first, editor).execute()
    made = AcceptCandidate(third, editor).execute()
    assert [edge.parent for edge in made.parent_edges.all()] == [accepted]
    assert made.source_type == SourceType.TRAINED_ALGORITHMIC_MEDIA.value


def test_more_like_an_edited_picture_edits_the_same_again(
    version: AssetVersion, ask: Callable[..., Run], finish: Finish, editor: User
) -> None:
    first = finish(ask(inpaint(version))).candidates.get()
    run = StartRun(Run(variation_of=first), editor).execute()
    assert run.request["edit"] == first.run.request["edit"]
    second = finish(run).candidates.get()
    assert second.seed != first.seed
    assert second.recipe["mode"] == "inpaint"


def test_one_run_extends_a_picture_to_several_shapes(
    version: AssetVersion, ask: Callable[..., Run], finish: Finish
) -> None:
    shapes = ("1:1", "9:16", "16:9", "1200x300")
    frames = tuple(to_shape((320, 240), shape) for shape in shapes)
    edit = Edit("outpaint", SourcePicture.of_version(version), feather=10, frames=frames)
    run = finish(ask(edit, candidates=4))
    assert run.state == "succeeded", run.error
    assert run.request["graph"] == "outpaint-set"
    made = {c.index: c for c in run.candidates.all()}
    assert [(c.width, c.height) for c in made.values()] == [
        (320, 320), (320, 569), (427, 240), (960, 240),
    ]  # fmt: skip
    before = np.asarray(picture())
    for index, frame in enumerate(frames):
        after = np.asarray(shown(made[index].sha256).convert("RGB"))
        part = after[frame.top : frame.top + 240, frame.left : frame.left + 320]
        kept = part[10:-10] if frame.height > 240 else part[:, 10:-10]
        source = before[10:-10] if frame.height > 240 else before[:, 10:-10]
        assert (kept == source).all(), frame
        assert made[index].recipe["mode"] == "outpaint"


def test_the_graphs_fit_together_and_share_the_canvas(
    version: AssetVersion, ask: Callable[..., Run], settings: Any
) -> None:
    settings.IMAGEPIPE = settings.IMAGEPIPE | {"PICTURE_ATTEMPTS": 2}
    run = ask(inpaint(version), candidates=3)
    graph = Graph.from_dict(run.graph)
    check_types(graph)
    kinds = [node.kind for node in graph.order]
    assert kinds.count("canvas") == 1
    assert kinds.count("compose") == 6
    assert run.graph["nodes"]["compose-01"]["inputs"]["canvas"] == "canvas"


def test_a_picture_of_a_collection_that_one_may_not_see_is_refused(
    root: Collection, editor: User, model: RegisteredModel, ask: Callable[..., Run]
) -> None:
    secret, open_ = root.add_child(name="Secret"), root.add_child(name="Open")
    hidden = upload(picture(), editor, collection=secret)
    maker = User.objects.create_user("maker", password="maker")
    group = Group.objects.create(name="makers")
    maker.groups.add(group)
    _allow(group, open_, "generate_asset")
    run = Run(title="Mended", model=model, collection=open_)
    brief = Brief(prompt="a boat", candidates=1, edit=inpaint(hidden))
    with pytest.raises(PermissionDenied):
        StartRun(run, maker, brief=brief).execute()
    assert not Run.objects.exists()
    source = SourcePicture.of_version(hidden)
    forged = SourcePicture(source.kind, "0" * 64, 320, 240, source.key)
    assert not forged.may_be_used(editor)
    _allow(group, secret, "generate_asset")
    maker = User.objects.get(pk=maker.pk)
    assert StartRun(run, maker, brief=brief).execute().pk


def _allow(group: Group, collection: Collection, codename: str) -> None:
    from django.contrib.auth.models import Permission
    from wagtail.models import GroupCollectionPermission

    permission = Permission.objects.get(content_type__app_label="imagepipe", codename=codename)
    GroupCollectionPermission.objects.create(
        group=group, collection=collection, permission=permission
    )


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"mask": ""}, "mask"),
        ({"strength": 1.5}, "strength"),
        ({"strength": float("nan")}, "strength"),
        ({"feather": 1000}, "feather"),
        ({"mode": "magic"}, "mode"),
        ({"mode": "outpaint"}, "frames"),
    ],
)
def test_what_cannot_be_done_is_refused_before_anything_is_queued(
    version: AssetVersion, ask: Callable[..., Run], change: dict[str, Any], field: str
) -> None:
    wanted = {"mode": "inpaint", "mask": "0" * 64} | change
    with pytest.raises(InvalidBrief) as caught:
        ask(Edit(source=SourcePicture.of_version(version), **wanted))
    assert caught.value.field == field
    assert not Run.objects.exists()


def test_a_withdrawn_picture_is_no_source(
    version: AssetVersion, ask: Callable[..., Run]
) -> None:
    edit = inpaint(version)
    AssetVersion.objects.filter(pk=version.pk).update(state="withdrawn")
    with pytest.raises(InvalidBrief, match="withdrawn"):
        ask(edit)


def test_a_model_that_cannot_inpaint_is_refused_with_the_reason(
    version: AssetVersion, ask: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    from imagepipe.generation.backends.fake import FakeBackend
    from imagepipe.generation.capabilities import Capabilities

    plain = Capabilities(schedulers=("sketch",))
    monkeypatch.setattr(FakeBackend, "capabilities", lambda self, model=None: plain)
    with pytest.raises(InvalidBrief, match="cannot make a part of a picture anew"):
        ask(inpaint(version))
    with pytest.raises(InvalidBrief, match="does not know the scheduler"):
        ask(None, scheduler="Euler")
    with pytest.raises(InvalidBrief, match="cannot use adapters"):
        ask(None, adapters=(AdapterWish("pastel"),))


def companion(kind: str, slug: str, **values: Any) -> RegisteredModel:
    return RegisteredModel.objects.create(
        kind=kind, slug=slug, name=slug, backend="fake", location=slug, licence="MIT",
        **{"state": "allowed"} | values,
    )  # fmt: skip


def test_controls_and_adapters_reach_the_engine_and_the_recipe(
    version: AssetVersion, ask: Callable[..., Run], finish: Finish, editor: User
) -> None:
    companion("controlnet", "house-canny")
    companion("lora", "pastel")
    companion("embedding", "mint")
    source = SourcePicture.of_version(version)
    run = finish(
        ask(
            None,
            controls=(ControlWish("house-canny", source, weight=0.8, end=0.5),),
            adapters=(AdapterWish("pastel", 0.7), AdapterWish("mint")),
            scheduler="outline",
        )
    )
    assert run.state == "succeeded", run.error
    candidate = run.candidates.get()
    facts = {entry["kind"]: entry for entry in candidate.recipe["adapters"]}
    assert set(facts) == {"control-canny", "lora", "textual-inversion"}
    assert facts["lora"]["weight"] == 0.7
    assert facts["control-canny"]["parameters"]["end"] == 0.5
    edges = shown(facts["control-canny"]["parameters"]["image"])
    assert set(np.unique(np.asarray(edges))) == {0, 255}
    assert candidate.recipe["environment"]["scheduler"] == "outline"
    made = AcceptCandidate(candidate, editor).execute()
    assert [edge.relation for edge in made.parent_edges.all()] == ["reference"]
    plain = finish(ask(None, seed=5)).candidates.get()
    assert plain.sha256 != candidate.sha256


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"state": "retired"}, "not allowed"),
        ({"family": "sdxl"}, "made for other models"),
    ],
)
def test_an_adapter_that_is_not_allowed_or_does_not_fit_is_refused(
    root: Collection, model: RegisteredModel, ask: Callable[..., Run],
    values: dict[str, Any], message: str,
) -> None:  # fmt: skip
    RegisteredModel.objects.filter(pk=model.pk).update(family="sd")
    model.refresh_from_db()
    companion("lora", "pastel", **values)
    with pytest.raises(InvalidBrief, match=message):
        ask(None, adapters=(AdapterWish("pastel"),))


def test_bytes_that_an_edit_needs_are_never_swept_away(
    version: AssetVersion, ask: Callable[..., Run], finish: Finish
) -> None:
    given = SourcePicture.of_upload(png(picture(200, 200)))
    mask = masks.make((200, 200), boxes=[BOX])
    waiting = ask(Edit("inpaint", given, mask=mask))
    assert sweep.sweep(kept_seconds=-1).unnamed == 0
    run = finish(waiting)
    swept_nothing_needed = sweep.sweep(kept_seconds=-1)
    assert swept_nothing_needed.unnamed == 0
    outputs = run.steps.get(node="canvas").output
    for sha256 in (mask, given.sha256, *(outputs[k] for k in ("region", "init", "mask"))):
        assert blobs.exists(sha256)
    assert run.candidates.get().recipe["sources"] == [outputs["init"], outputs["mask"]]


def test_a_brief_survives_being_kept_as_json(version: AssetVersion) -> None:
    brief = Brief(
        prompt="a boat",
        edit=inpaint(version),
        controls=(ControlWish("c", SourcePicture.of_version(version)),),
        adapters=(AdapterWish("a", 0.5),),
    )
    assert Brief.from_dict(json.loads(json.dumps(brief.to_dict()))) == brief


def test_the_soft_edge_is_as_wide_as_asked_for() -> None:
    mask = Image.new("L", (60, 40), 0)
    ImageDraw.Draw(mask).rectangle((20, 10, 39, 29), fill=255)
    soft = np.asarray(canvas.feather(mask, 8))
    assert (soft[20, 20:40] == 255).all()
    assert (soft[20, 12:20] > 0).all()
    assert not soft[20, :12].any()


def test_a_fixed_picture_becomes_the_next_version_of_the_one_it_was_made_from(
    version: AssetVersion, ask: Callable[..., Run], finish: Finish, editor: User
) -> None:
    candidate = finish(ask(inpaint(version))).candidates.get()
    other = upload(picture(300, 200), editor).asset
    with pytest.raises(InvalidState, match="not made from that one"):
        AcceptCandidate(candidate, editor, asset=other).execute()
    made = AcceptCandidate(candidate, editor, asset=version.asset).execute()
    assert (made.asset, made.number, made.state) == (version.asset, 2, "approved")
    assert [edge.parent for edge in made.parent_edges.all()] == [version]
    assert masters.read(version.sha256) == png(picture())


def test_who_may_not_generate_for_an_asset_gives_it_no_version(
    root: Collection, editor: User, ask: Callable[..., Run], finish: Finish
) -> None:
    closed = root.add_child(name="Closed")
    version = upload(picture(), editor, collection=closed)
    candidate = finish(ask(inpaint(version))).candidates.get()
    reviewer, group = User.objects.create_user("reviewer"), Group.objects.create(name="r")
    reviewer.groups.add(group)
    _allow(group, root, "review_asset")
    with pytest.raises(PermissionDenied):
        AcceptCandidate(candidate, reviewer, asset=version.asset).execute()
    assert version.asset.versions.count() == 1
    assert AcceptCandidate(candidate, reviewer).execute().asset != version.asset
