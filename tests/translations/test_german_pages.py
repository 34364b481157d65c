"""Pages as somebody sees them who has chosen German."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.template import Context, Template
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import override
from lxml import html

from imagepipe.assets.models import Asset
from imagepipe.workflow import leases
from imagepipe.workflow.models import Candidate, Run, StepRun
from tests.translations.catalogue import read_po

pytestmark = pytest.mark.django_db

CATALOGUE = Path(__file__).parents[2] / "imagepipe/locale/de/LC_MESSAGES/django.po"
ENGLISH = {
    entry.msgid: entry.texts[0]
    for entry in read_po(CATALOGUE)
    if not entry.plural and entry.texts[0] != entry.msgid
}
UNTRANSLATED_IN_WAGTAIL = {"Actions", "Collection"}
"""The label of its header buttons, and of a form field that has none of its own."""
READ_ALOUD = ("alt", "aria-label", "placeholder", "title", "data-imagepipe-run-lost-value")


def texts_of(page: Any) -> list[str]:
    """Everything on the page that is read, in order, white space tidied."""
    tree = html.fromstring(page.content)
    return [text for found in _raw(tree) if (text := " ".join(found.split()))]


def _raw(tree: html.HtmlElement) -> Iterator[str]:
    yield from tree.xpath("//text()[not(parent::script) and not(parent::style)]")
    for name in READ_ALOUD:
        yield from tree.xpath(f"//@{name}")


def german_texts(client: Client, name: str, *args: Any) -> list[str]:
    page = client.get(reverse(name, args=args))
    assert page.status_code == 200
    found = texts_of(page)
    assert not left_in_english(found)
    return found


def left_in_english(texts: list[str]) -> set[str]:
    return {text for text in texts if text.rstrip(":") in ENGLISH} - UNTRANSLATED_IN_WAGTAIL


def test_the_generate_page(german: Client, template: Any) -> None:
    found = german_texts(german, "imagepipe_admin:generate")
    for text in ("Generieren", "Auftrag", "Prompt-Vorlage", "Vorschläge", "Seed", "Dringend"):
        assert text in found
    assert "Modell, Seed und Größe" in found
    assert (
        "Derselbe Seed ergibt wieder dieselben Bilder. Leer: Der Zufall entscheidet." in found
    )


def test_a_form_says_in_german_what_is_wrong(german: Client) -> None:
    page = german.post(reverse("imagepipe_admin:generate"), {"title": ""})
    found = texts_of(page)
    assert "Wegen der unten markierten Angaben wurde nichts gestartet." in " ".join(found)
    assert "Der Prompt ist leer. Beschreiben Sie, was das Bild zeigen soll." in found
    assert not left_in_english(found)


def test_a_waiting_run(german: Client, run: Run) -> None:
    found = german_texts(german, "imagepipe_admin:run", run.uid)
    for text in ("Wartet auf einen Worker …", "Abbrechen", "Bild 1", "Wartet"):
        assert text in found
    assert "Der Server antwortet nicht. Neuer Versuch …" in found


def test_a_finished_run(german: Client, finished: Run) -> None:
    warning = "The model reads 75 tokens; the prompt has 90, so its end was ignored."
    steps = StepRun.objects.filter(run=finished, node="generate-00")
    steps.update(output={"warnings": [warning]})
    found = german_texts(german, "imagepipe_admin:run", finished.uid)
    for text in (
        "Alle Bilder sind da.",
        "Vorgelegt",
        "Technische Qualität: bestanden",
        "Bild 2 freigeben",
        "Mehr davon",
        "Passt nicht zum Auftrag",
        "Das Modell liest 75 Token; der Prompt hat 90, sein Ende wurde deshalb nicht beachtet.",
    ):
        assert text in found


def test_progress_is_stored_in_english_and_told_in_german(
    german: Client, run: Run, settings: Any
) -> None:
    Run.objects.filter(pk=run.pk).update(
        state="running", message="Picture 1: step 3 of 6", lease_owner="somebody"
    )
    told = german.get(reverse("imagepipe_admin:run_progress", args=[run.uid])).json()
    assert (told["message"], told["state_label"]) == ("Bild 1: Schritt 3 von 6", "Läuft")


def test_a_refused_prompt(german: Client, start: Any, finish: Any) -> None:
    with override("de"):  # a worker of a German site
        run = finish(start("naked child"))
    assert run.error.startswith("The prompt was refused")
    found = german_texts(german, "imagepipe_admin:run", run.uid)
    assert any(
        text.startswith("Der Prompt wurde abgelehnt, es wurde nichts generiert. „n•••d“ ist")
        for text in found
    )
    assert not any("not made here" in text for text in found)


def test_a_run_that_lost_its_worker(german: Client, run: Run, settings: Any) -> None:
    settings.IMAGEPIPE = {**settings.IMAGEPIPE, "MAX_ATTEMPTS": 2}
    past = timezone.now() - dt.timedelta(hours=1)
    Run.objects.filter(pk=run.pk).update(
        state="running", lease_owner="gone", lease_until=past, attempt=2
    )
    with override("de"):
        assert leases.reap() == 1
    run.refresh_from_db()
    assert run.error.startswith("The run lost its worker 2 times")
    found = german_texts(german, "imagepipe_admin:run", run.uid)
    assert any(text.startswith("Der Lauf hat seinen Worker 2-mal verloren") for text in found)


def test_the_page_of_a_candidate(german: Client, candidate: Candidate) -> None:
    found = german_texts(german, "imagepipe_admin:candidate", candidate.uid)
    for text in ("Bild freigeben", "Bild ablehnen", "Rechteinhaber", "Rezept"):
        assert text in found


def test_the_page_of_a_picture(german: Client, published: Asset) -> None:
    found = german_texts(german, "imagepipe_admin:asset", published.uid)
    for text in (
        "Lizenz und Rechteinhaber sind eingetragen.",
        "Veröffentlicht",
        "Unverändert, seit es hier signiert wurde",
        "Von einem generativen Modell erzeugt",
        "Änderungsprotokoll",
        "Von allen Seiten zurückziehen",
        "Ursprung: Generiert",
    ):
        assert text in found


@pytest.mark.parametrize("name", ["runs", "assets", "review", "models"])
def test_listings(german: Client, published: Asset, name: str) -> None:
    german_texts(german, f"imagepipe_admin:{name}")


@pytest.mark.parametrize("name", ["asset_rights", "asset_alt"])
def test_forms_of_a_picture(german: Client, published: Asset, name: str) -> None:
    german_texts(german, f"imagepipe_admin:{name}", published.uid)


def test_prompt_templates(german: Client, template: Any) -> None:
    base = "wagtailsnippets_imagepipe_prompttemplate"
    german_texts(german, f"{base}:list")
    assert "Motiv" in german_texts(german, f"{base}:edit", template.pk)


def test_the_permissions_of_a_group(german: Client) -> None:
    group = Group.objects.create(name="Redaktion")
    found = german_texts(german, "wagtailusers_groups:edit", group.pk)
    assert "Studio-Berechtigungen" in found


def test_the_chooser_of_a_page(german: Client, published: Asset) -> None:
    page = german.get(reverse("wagtailimages_chooser:choose"), {"generate": "1"})
    found = texts_of(_Fragment(page.json()["html"]))
    assert "Generieren" in found
    assert not left_in_english(found)


class _Fragment:
    def __init__(self, content: str) -> None:
        self.content = content


@pytest.mark.parametrize(
    ("language", "words"), [("de", "KI-generiert"), ("en", "AI-generated")]
)
def test_the_disclosure_of_a_picture_on_a_page(
    published: Asset, language: str, words: str
) -> None:
    source = "{% load imagepipe_tags %}{% picture image %}"
    with override(language):
        rendered = Template(source).render(Context({"image": published.image}))
    assert f'<figcaption class="imagepipe-disclosure">{words}</figcaption>' in rendered
