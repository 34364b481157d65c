"""Suggestions for pictures of a real library: where the words come from, and who decides."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from PIL import Image

from imagepipe.assets.models import AltText, Asset
from imagepipe.assets.staleness import outdated
from imagepipe.audit.models import AuditEvent
from imagepipe.conf import get_settings
from imagepipe.delivery.actions import PublishVersion
from imagepipe.delivery.markup import Presentation
from imagepipe.delivery.presets import get_preset
from imagepipe.delivery.requirements import missing_requirements
from imagepipe.exceptions import InvalidState, MissingRequirement
from imagepipe.quality.prompt_match import similarity
from imagepipe.quality.zero_shot import rank
from imagepipe.registry.models import RegisteredModel
from imagepipe.seo.alt_text.actions import (
    DismissSuggestion,
    KeepSuggestions,
    TakeSuggestion,
)
from imagepipe.seo.alt_text.captioner import captioners
from imagepipe.seo.alt_text.composed import Composed
from imagepipe.seo.alt_text.facts import subject_of
from imagepipe.seo.alt_text.recognition import Recogniser
from imagepipe.seo.alt_text.suggesting import suggest
from imagepipe.seo.models import AltSuggestion
from tests.delivery.library import Library, png

pytestmark = pytest.mark.django_db
CLIP = Path(__file__).parents[2] / "fixtures/models/pocket-clip"
PROMPT = "a studio photo of a red teapot on a blue background, soft light"


def drawn(library: Library, prompt: str = PROMPT, **fields: Any) -> Asset:
    asset = library.asset(alt=False, **fields)
    library.version(asset, recipe={"prompt": prompt}, file_name="x.png")
    return asset


def texts(asset: Asset, *languages: str) -> dict[str, str]:
    outcome = suggest(asset, languages or ("en", "de"), [Composed()])
    assert outcome is not None
    return {made.language: made.caption.text or made.caption.reason for made in outcome.made}


def keep(asset: Asset, *languages: str, user: Any = None) -> int:
    outcome = suggest(asset, languages or ("en", "de"), captioners())
    assert outcome is not None
    return KeepSuggestions(asset, user, outcome=outcome).execute()


def test_a_prompt_becomes_a_sentence_in_each_language(library: Library) -> None:
    assert texts(drawn(library), "en", "de", "fr") == {
        "en": "A red teapot on a blue background",
        "de": "Eine rote Teekanne vor blauem Hintergrund",
        "fr": "no-grammar",
    }


def test_nothing_is_translated_that_is_not_in_the_dictionary(library: Library) -> None:
    assert texts(drawn(library, "a zeppelin over Lake Constance, film grain")) == {
        "en": "A zeppelin over Lake Constance",
        "de": "other-language",
    }


def test_a_photograph_has_its_title_and_the_faces_that_were_found(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    asset = library.asset("Opening of the new library", alt=False)
    library.version(asset, file_name="IMG_2041.JPG")
    from imagepipe.delivery import scenes

    face = (0.2, 0.2, 0.1, 0.1)
    monkeypatch.setattr(scenes, "find_faces", lambda content: (face, face))
    outcome = suggest(asset, ("en", "de"), [Composed()])
    english, german = (made.caption for made in outcome.made)
    assert english.text == "Opening of the new library: two people"
    assert [words.source for words in english.words] == ["title", "faces"]
    assert english.is_weak
    assert german.text == "Zwei Personen"  # the title is not German, and is not translated


@pytest.mark.parametrize("title", ["IMG_2041", "DSC00017", "image", "2041", "IMG_2041.JPG"])
def test_names_of_cameras_say_nothing(library: Library, title: str) -> None:
    asset = library.asset(title, alt=False)
    library.version(asset, file_name="IMG_2041.JPG")
    assert texts(asset, "en") == {"en": "no-facts"}


def test_subjects_of_prompts() -> None:
    assert subject_of({"prompt": "a 3d render of an owl, soft light"}) == "an owl"
    assert subject_of({"prompt": "a view of the sea"}) == "a view of the sea"
    assert subject_of({"prompt": "owl", "template": {"slug": "gone", "version": "x"}}) == "owl"
    assert [subject_of(odd) for odd in (None, {}, {"prompt": 3}, {"template": 4})] == [
        "", "", "3", "",
    ]  # fmt: skip


def test_the_zero_shot_score_is_that_of_the_prompt_check() -> None:
    pytest.importorskip("transformers")
    sheet = Image.open(CLIP.parents[1] / "prompts/heldout-pairs.webp").convert("RGB")
    picture = sheet.crop((0, 0, 128, 128))
    said = ("an apple on the left of a yellow background", "an owl on a red background")
    one, other = rank(picture, ((said[0],), (said[1],)), CLIP)
    assert one.cosine == pytest.approx(similarity(picture, said[0], CLIP), abs=1e-4)
    assert other.cosine == pytest.approx(similarity(picture, said[1], CLIP), abs=1e-4)
    assert one.probability > 0.99 and one.probability + other.probability == pytest.approx(1)


def clip(**defaults: Any) -> RegisteredModel:
    return RegisteredModel(slug="clip", location=str(CLIP), sha256="1" * 64, defaults=defaults)


def test_what_is_recognised_goes_into_the_sentence(library: Library) -> None:
    pytest.importorskip("transformers")
    sheet = Image.open(CLIP.parents[1] / "prompts/heldout-pairs.webp").convert("RGB")
    picture = library.private / "apple.png"
    picture.parent.mkdir(parents=True, exist_ok=True)
    sheet.crop((0, 0, 128, 128)).save(picture)
    asset = library.asset("Autumn", alt=False)
    library.version(asset, picture.read_bytes(), file_name="1.png")
    own = {
        "labels": ["apple", "owl", "bus", "not a word of the dictionary"],
        "label_templates": ["{label} on the left of a yellow background", "no place"],
        "label_threshold": 0.6,
    }
    recogniser = Recogniser.of(clip(**own))
    assert recogniser is not None and recogniser.labels == ("apple", "owl", "bus")
    outcome = suggest(asset, ("en", "de"), [Composed(recogniser)])
    assert [made.caption.text for made in outcome.made] == ["Autumn: an apple", "Ein Apfel"]
    assert not outcome.made[0].caption.is_weak
    strict = Recogniser.of(clip(**own | {"label_threshold": 0.95}))
    outcome = suggest(asset, ("en",), [Composed(strict)])
    assert outcome.made[0].caption.text == "Autumn"


@pytest.mark.parametrize("defaults", [{}, {"label_threshold": "high"}, {"labels": ["apple"]}])
def test_without_a_known_threshold_nothing_is_recognised(defaults: dict[str, Any]) -> None:
    assert Recogniser.of(clip(**defaults)) is None


def test_suggestions_are_kept_apart_and_unchanged_pictures_are_not_looked_at(
    library: Library,
) -> None:
    asset = drawn(library)
    assert keep(asset) == 2
    assert asset.alt_texts() == {}
    again = suggest(asset, ("en", "de"), captioners())
    assert again is not None and (again.made, again.kept) == ((), 2)
    Asset.objects.filter(pk=asset.pk).update(title="Tea for two")
    asset.refresh_from_db()
    assert len(suggest(asset, ("en",), captioners()).made) == 1
    event = AuditEvent.objects.latest("pk")
    assert (event.action, event.data["languages"]) == ("imagepipe.alt_suggest", ["de", "en"])


def test_taking_and_leaving(library: Library) -> None:
    asset = drawn(library)
    keep(asset)
    english, german = AltSuggestion.objects.order_by("-language")
    TakeSuggestion(english, None, text="A red teapot").execute()
    DismissSuggestion(german, None).execute()
    assert asset.alt_texts() == {"en": "A red teapot"}
    assert AltText.objects.get(asset=asset).generated is False
    assert (english.state, german.state) == ("taken", "dismissed")
    with pytest.raises(InvalidState, match="write the text"):
        TakeSuggestion(german, None, text="  ").execute()


def test_who_may_not_change_the_picture_may_not_touch_its_words(library: Library) -> None:
    asset = drawn(library)
    keep(asset)
    stranger = User.objects.create_user("stranger")
    suggestion = AltSuggestion.objects.filter(language="en").get()
    for action in (TakeSuggestion, DismissSuggestion):
        with pytest.raises(PermissionDenied):
            action(suggestion, stranger).execute()
    with pytest.raises(PermissionDenied):
        keep(asset, "en", user=stranger)
    suggestion.refresh_from_db()
    assert suggestion.state == "open" and asset.alt_texts() == {}


@pytest.fixture
def unseen(settings: Any) -> None:
    settings.IMAGEPIPE = {**settings.IMAGEPIPE, "ALT_TEXT_PUBLISH": "generated"}
    assert get_settings().ALT_TEXT_PUBLISH == "generated"


def test_published_unseen_only_where_settings_say_so_and_marked(
    library: Library, unseen: None
) -> None:
    from imagepipe.delivery.representation import represent
    from imagepipe.delivery.shown import show

    asset = drawn(library)
    AltText.objects.create(asset=asset, language="de", text="Meine Kanne")
    keep(asset)
    assert asset.alt_texts() == {"en": "A red teapot on a blue background", "de": "Meine Kanne"}
    assert asset.generated_alt_texts() == ["en"]
    library.do(PublishVersion(asset.versions.get(), None))
    asset.refresh_from_db()
    presentation = Presentation(get_preset("content"), "")
    said = represent(show({}, asset.image), presentation)
    assert said is not None
    assert (said["alt"], said["alt_generated"]) == ("A red teapot on a blue background", True)
    suggestion = AltSuggestion.objects.get(language="en")
    library.do(TakeSuggestion(suggestion, None))
    document = library.publication(asset).document
    assert document["alt_generated"] == []


def test_a_weak_suggestion_is_never_published_unseen(library: Library, unseen: None) -> None:
    asset = library.asset("Opening of the new library", alt=False)
    library.version(asset, file_name="IMG_2041.JPG")
    keep(asset, "en")
    assert asset.alt_texts() == {}


def test_a_text_for_other_pixels_is_outdated_and_blocks_only_if_asked_to(
    library: Library, settings: Any
) -> None:
    asset = drawn(library)
    first = asset.versions.get()
    keep(asset, "en")
    TakeSuggestion(AltSuggestion.objects.get(), None).execute()
    library.do(PublishVersion(first, None))
    second = library.version(asset, png(colour=99))
    asset.refresh_from_db()
    assert outdated(asset) == set()  # what visitors see is still the first
    assert missing_requirements(asset, second) == {}
    settings.IMAGEPIPE = {**settings.IMAGEPIPE, "ALT_TEXT_STALE": "blocks"}
    with pytest.raises(MissingRequirement) as refusal:
        library.do(PublishVersion(second, None))
    assert refusal.value.missing == ("alt-stale",)
    settings.IMAGEPIPE = {**settings.IMAGEPIPE, "ALT_TEXT_STALE": "shown"}
    library.do(PublishVersion(second, None))
    asset.refresh_from_db()
    assert outdated(asset) == {"en"}
