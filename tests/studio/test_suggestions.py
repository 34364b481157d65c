"""What was made before is found by what it means, while the brief is typed."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from PIL import Image
from wagtail.models import Collection

from imagepipe.assets import masters
from imagepipe.assets.models import Asset, AssetVersion
from imagepipe.registry.models import RegisteredModel
from imagepipe.retrieval import memory
from imagepipe.retrieval.indexing import index_pending
from imagepipe.retrieval.models import PictureVector
from imagepipe.retrieval.search import search
from imagepipe.workflow.models import Candidate, Run

pytestmark = pytest.mark.django_db
FIXTURES = Path(__file__).parents[2] / "fixtures"
NUMBERS = (0, 9, 18, 27, 36, 45)


def held_out(number: int) -> tuple[Image.Image, str]:
    lists = json.loads((FIXTURES / "prompts/heldout.json").read_text("utf-8"))
    texts = [entry["prompt"] for entry in (*lists["prompts"], *lists["further"])]
    sheet = Image.open(FIXTURES / "prompts/heldout-pairs.webp").convert("RGB")
    x, y = number % 8 * 128, number // 8 * 128
    return sheet.crop((x, y, x + 128, y + 128)), texts[7 * number]


def keep(image: Image.Image, title: str, collection: Collection, **fields: Any) -> AssetVersion:
    output = io.BytesIO()
    image.save(output, "PNG")
    asset = Asset.objects.create(title=title, slug="p", collection=collection)
    values = {"state": "approved", "origin": "uploaded", "mime": "image/png"} | fields
    return AssetVersion.objects.create(
        asset=asset, number=1, sha256=masters.store(output.getvalue()), width=image.width,
        height=image.height, byte_count=output.tell(), **values,
    )  # fmt: skip


@pytest.fixture(autouse=True)
def forgotten() -> None:
    memory._known.clear()


@pytest.fixture
def clip(db: None) -> RegisteredModel:
    pytest.importorskip("transformers")
    return RegisteredModel.objects.create(
        kind="clip", slug="pocket-clip", name="Pocket CLIP", licence="MIT", state="allowed",
        location=str(FIXTURES / "models/pocket-clip"), sha256="c" * 64,
    )  # fmt: skip


@pytest.fixture
def shelf(clip: RegisteredModel, root: Collection, private_folder: Path) -> dict[str, str]:
    """Titles that say nothing, by the text that goes with the picture."""
    texts = {}
    for number in NUMBERS:
        image, text = held_out(number)
        keep(image, f"Number {number}", root)
        texts[text] = f"Number {number}"
    assert index_pending() == len(NUMBERS)
    assert index_pending() == 0
    return texts


def test_a_text_finds_its_picture_by_what_it_shows(shelf: dict[str, str]) -> None:
    found = {text: search(text, Asset.objects.all(), 2) for text in shelf}
    hits = [any(f.version.asset.title == shelf[t] for f in fs) for t, fs in found.items()]
    assert sum(hits) >= len(NUMBERS) - 1
    assert all(len(fs) == 2 and fs[0].score >= fs[1].score for fs in found.values())


def test_vectors_are_of_length_one_and_kept_once_per_picture(
    shelf: dict[str, str], root: Collection, clip: RegisteredModel
) -> None:
    vector = np.frombuffer(bytes(PictureVector.objects.first().vector), "<f4")
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)
    keep(held_out(NUMBERS[0])[0], "The same again", root)
    assert index_pending() == 0
    assert PictureVector.objects.count() == len(NUMBERS)
    before = memory.vectors(clip.sha256)
    keep(held_out(50)[0], "Another", root)
    assert index_pending() == 1
    after = memory.vectors(clip.sha256)
    assert len(after.hashes) == len(before.hashes) + 1
    assert memory.vectors(clip.sha256) is after


def test_a_file_that_cannot_be_read_is_passed_over_once(
    clip: RegisteredModel, root: Collection, private_folder: Path
) -> None:
    version = keep(held_out(0)[0], "Broken", root)
    place = next(private_folder.rglob(version.sha256))
    place.write_bytes(b"no picture")
    assert (index_pending(), index_pending()) == (1, 0)
    assert bytes(PictureVector.objects.get().vector) == b""
    assert search("anything", Asset.objects.all()) == []


def test_what_was_withdrawn_or_only_drafted_is_not_found(
    shelf: dict[str, str], root: Collection
) -> None:
    [text] = [text for text, title in shelf.items() if title == "Number 9"]
    Asset.objects.filter(title="Number 9").update(withdrawn_at="2026-01-01T00:00Z")
    titles = {found.version.asset.title for found in search(text, Asset.objects.all(), 9)}
    assert titles == set(shelf.values()) - {"Number 9"}
    keep(held_out(60)[0], "Draft", root, state="draft")
    assert index_pending() == 0


def test_a_threshold_leaves_out_what_is_far_away(
    shelf: dict[str, str], clip: RegisteredModel
) -> None:
    clip.defaults = {"suggestion_threshold": 2}
    clip.save()
    assert search(next(iter(shelf)), Asset.objects.all()) == []


def test_without_a_model_words_are_compared(
    admin: Client, asset: Asset, candidate: Candidate
) -> None:
    assert [f.version.asset for f in search("my teapot", Asset.objects.all())] == [asset]
    assert search("zeppelin", Asset.objects.all()) == []


def ask(client: Client, words: str) -> Any:
    return client.get(reverse("imagepipe_admin:suggestions"), {"q": words, "title": "New"})


def test_people_are_shown_only_what_they_may_see(
    shelf: dict[str, str], root: Collection, browse: Callable[[User], Client],
    person: Callable[..., User],
) -> None:  # fmt: skip
    own = root.add_child(name="Own")
    Asset.objects.filter(title="Number 18").update(collection=own)
    client = browse(person("carla", "view", "generate", collection=own))
    found = ask(client, next(iter(shelf))).context["found"]
    assert [one.version.asset.title for one in found] == ["Number 18"]


def test_who_may_not_generate_is_shown_nothing(
    browse: Callable[[User], Client], person: Callable[..., User]
) -> None:
    response = ask(browse(person("dora", "view", "review", "change")), "a teapot")
    assert response.status_code == 302 and "teapot" not in response.content.decode()
    assert browse(None).get(reverse("imagepipe_admin:suggestions")).status_code == 302


def test_hostile_words_are_only_words(admin: Client, asset: Asset) -> None:
    for words in ("", "x", "\0\0\0teapot", "%s' OR 1=1 --", "🫖" * 5000, "<b>teapot</b>"):
        assert ask(admin, words).status_code == 200


def test_a_brief_is_taken_over_with_its_variables_and_no_seed(
    admin: Client, asset: Asset, candidate: Candidate
) -> None:
    [one] = ask(admin, "a teapot").context["found"]
    assert one.key == f"{asset.uid}/1"
    form = admin.get(one.brief_url).context["form"]
    assert form["title"].value() == "New"
    assert form["template"].value() == candidate.run.template_id
    assert form["variable_subject"].value() == candidate.run.request["variables"]["subject"]
    assert form["seed"].value() is None


def test_a_foreign_brief_is_not_shown(
    candidate: Candidate, browse: Callable[[User], Client], person: Callable[..., User],
    root: Collection,
) -> None:  # fmt: skip
    own = root.add_child(name="Own")
    client = browse(person("emil", "generate", collection=own))
    for like in (str(candidate.uid), "nonsense", ""):
        response = client.get(reverse("imagepipe_admin:generate"), {"like": like})
        assert candidate.run.request["prompt_used"] not in response.content.decode()


def test_a_picture_of_the_library_is_started_from(
    admin: Client, asset: Asset, finish: Callable[..., Any], model: RegisteredModel
) -> None:
    values = {
        "title": "Boat", "template": "", "prompt": "a boat", "candidates": "1", "sheet": "s",
        "model": model.pk, "start_from": f"{asset.uid}/1", "strength": "50",
    }  # fmt: skip
    response = admin.post(reverse("imagepipe_admin:generate"), values)
    assert response.status_code == 302, response.context["form"].errors
    run = Run.objects.latest("pk")
    made = finish(run).candidates.get()
    assert made.recipe["mode"] == "image-to-image"
    assert run.request["edit"]["source"]["sha256"] == asset.versions.get().sha256
