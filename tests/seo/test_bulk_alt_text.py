"""Runs over many pictures: suggestions, and publication again."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command
from django.test import TestCase
from wagtail.models import Collection

from imagepipe.assets.models import AltText, Asset
from imagepipe.delivery.actions import PublishVersion
from imagepipe.delivery.models import Publication
from imagepipe.delivery.scenes import known_content
from imagepipe.exceptions import InvalidState
from imagepipe.seo.alt_text import bulk, worklist
from imagepipe.seo.models import AltSuggestion
from imagepipe.workflow import leases, republication, runner
from imagepipe.workflow.actions import CancelRun, RetryRun
from imagepipe.workflow.durations import Basis
from imagepipe.workflow.forecasts import expected_of
from imagepipe.workflow.jobs import PART, tally
from imagepipe.workflow.models import Run
from tests.delivery.library import Library
from tests.seo.test_alt_suggestions import drawn

pytestmark = pytest.mark.django_db
LANGUAGES = ["en", "de"]


@pytest.fixture(autouse=True)
def place(library: Library) -> Collection:
    return Collection.get_first_root_node() or Collection.add_root(name="Root")


def work(run: Run) -> dict[str, int]:
    """Execute a queued run; returns what its steps counted."""
    owner = leases.new_owner()
    claimed = leases.claim(owner, run.uid.hex)
    assert claimed is not None
    with TestCase.captureOnCommitCallbacks(execute=True):
        runner.execute(claimed, owner, heartbeat=False)
    run.refresh_from_db()
    assert run.state == "succeeded", run.error
    return tally(run.steps.values_list("output", flat=True))


def start(user: Any = None) -> Run:
    needed = worklist.needs_suggestion(Asset.objects.all(), LANGUAGES)
    return bulk.StartSuggestions(bulk.prepare(needed, LANGUAGES), user).execute()


def test_only_pictures_in_need_and_unchanged_ones_only_once(library: Library) -> None:
    needy = [drawn(library, f"a red {noun}") for noun in ("owl", "fox", "bus")]
    good = library.asset()
    library.version(good)
    AltText.objects.filter(asset=good).update(updated_at=good.versions.get().created_at)
    decorative = drawn(library, decorative=True)
    run = start()
    assert run.request["items"] == len(needy)
    assert work(run) == {"suggested": 3, "nothing": 0, "reused": 0, "refused": 0}
    german = AltSuggestion.objects.filter(language="de").order_by("asset_id")
    assert [s.text for s in german] == ["Eine rote Eule", "Ein roter Fuchs", "Ein roter Bus"]
    assert not AltSuggestion.objects.filter(asset__in=[good, decorative]).exists()
    assert work(start()) == {"suggested": 0, "nothing": 0, "reused": 3, "refused": 0}
    assert not AltText.objects.filter(asset__in=needy).exists()


def test_the_time_is_told_before_from_runs_of_the_same_kind(library: Library) -> None:
    drawn(library)
    needed = worklist.needs_suggestion(Asset.objects.all(), LANGUAGES)
    assert expected_of(bulk.prepare(needed, LANGUAGES)).basis is Basis.NOTHING
    work(start())
    told = expected_of(bulk.prepare(needed, LANGUAGES))
    assert (told.basis, told.runs) == (Basis.SAME, 1)
    assert told.seconds is not None and told.seconds > 0


def test_a_run_in_several_parts_is_taken_up_where_it_was_left(library: Library) -> None:
    for number in range(PART + 2):
        drawn(library, f"{'two' if number % 2 else 'three'} owls")
    run = start()
    assert len(run.graph["nodes"]) == 2
    owner = leases.new_owner()
    claimed = leases.claim(owner, run.uid.hex)
    CancelRun(run, None).execute()
    runner.execute(claimed, owner, heartbeat=False)
    run.refresh_from_db()
    assert run.state == "cancelled"
    again = RetryRun(run, None).execute()
    assert work(again)["suggested"] == PART + 2


def test_who_lost_the_right_since_is_refused_picture_by_picture(library: Library) -> None:
    drawn(library)
    user = User.objects.create_superuser("was-allowed")
    run = start(user)
    User.objects.filter(pk=user.pk).update(is_superuser=False)
    assert work(run) == {"suggested": 0, "nothing": 0, "reused": 0, "refused": 1}
    assert not AltSuggestion.objects.exists()


def test_who_may_not_change_pictures_starts_nothing(library: Library) -> None:
    drawn(library)
    with pytest.raises(PermissionDenied):
        start(User.objects.create_user("reader"))
    assert not Run.objects.exists()


def test_nothing_to_do_is_said(library: Library) -> None:
    with pytest.raises(InvalidState, match="No picture"):
        start()


def test_reasons_and_counts(library: Library) -> None:
    one, other = library.asset(), library.asset()
    library.version(one), library.version(other)
    AltText.objects.filter(asset=one, language="de").delete()
    AltText.objects.filter(asset=other, language="de").update(text="Bild von Booten")
    assert worklist.reasons_of(one, "de") == ["missing"]
    assert set(worklist.reasons_of(one, "en")) == {"outdated", "duplicate"}
    assert "warning" in worklist.reasons_of(other, "de")


def test_the_list_is_walked_in_both_directions(library: Library) -> None:
    one, other = library.asset(), library.asset()
    library.version(one), library.version(other)
    AltText.objects.filter(asset=one, language="de").delete()
    chosen = (Asset.objects.all(), ["missing", "duplicate"], LANGUAGES)
    assert worklist.remaining(*chosen) == 3
    walk = [worklist.neighbour(*chosen, None)]
    for _step in range(3):
        walk.append(worklist.neighbour(*chosen, walk[-1]))
    keys = [f"{one.pk}:en", f"{one.pk}:de", f"{other.pk}:en"]
    assert [item.key for item in walk if item] == [*keys, keys[0]]
    back = worklist.neighbour(*chosen, walk[1], backwards=True)
    assert back is not None and back.key == keys[0]
    last = worklist.neighbour(*chosen, walk[0], backwards=True)
    assert last is not None and last.key == keys[2]
    rest = worklist.neighbour(*chosen, walk[0], aside=keys[1:])
    assert rest is not None and rest.key == keys[0]
    assert worklist.neighbour(*chosen, None, aside=keys) is None


def published(library: Library, count: int) -> list[Asset]:
    assets = []
    for _number in range(count):
        asset = library.asset()
        library.do(PublishVersion(library.version(asset), None))
        assets.append(asset)
    return assets


def desired(assets: list[Asset]) -> list[int]:
    return list(
        Publication.objects.filter(asset__in=assets)
        .order_by("asset_id")
        .values_list("desired", flat=True)
    )


def test_publication_again_happens_once_for_each(library: Library) -> None:
    assets = published(library, 3)
    run = republication.Republish(
        republication.prepare(Asset.objects.all(), crops=True), None
    ).execute()
    before = desired(assets)
    sha256 = assets[0].versions.get().sha256
    library.do(PublishVersion(library.version(assets[2]), None))
    assert work(run) == {"requested": 2, "newer": 1, "gone": 0}
    assert desired(assets) == [before[0] + 1, before[1] + 1, before[2] + 1]
    # As after a worker that was lost between its last picture and the end of the step:
    run.steps.update(state="running", output=None)
    Run.objects.filter(pk=run.pk).update(state="queued", lease_owner="", lease_until=None)
    assert work(run) == {"requested": 0, "newer": 3, "gone": 0}
    assert known_content(sha256).placeholder is None or sha256


def command(*arguments: str) -> str:
    out = io.StringIO()
    call_command("imagepipe", *arguments, stdout=out)
    return out.getvalue()


def test_the_commands(library: Library) -> None:
    asset = drawn(library)
    assert "missing: 2\n" in command("alt-text", "status")
    assert "1 pictures, en; time: not known yet" in command(
        "alt-text", "suggest", "--language", "en", "--dry-run"
    )
    assert not Run.objects.exists()
    command("alt-text", "suggest", "--limit", "5")
    assert work(Run.objects.get())["suggested"] == 1
    with pytest.raises(CommandError, match="Not a language"):
        command("alt-text", "suggest", "--language", "xx")
    with pytest.raises(CommandError, match="no collection"):
        command("alt-text", "suggest", "--collection", "Nowhere")
    with pytest.raises(CommandError, match="--all"):
        command("republish")
    assets = published(library, 1)
    assert command("republish", "--all", "--dry-run") == "1 published pictures\n"
    command("republish", assets[0].uid.hex)
    assert work(Run.objects.get(request__job="republish"))["requested"] == 1
    with pytest.raises(CommandError, match="None of these"):
        command("republish", asset.uid.hex)
