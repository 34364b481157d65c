from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagepipe.assets.models import AltText
from imagepipe.assets.staleness import outdated
from imagepipe.seo.alt_advice import advice, duplicates
from tests.delivery.library import Library

EXAMPLES = [
    ("Boats in the harbour at dawn", "en", set()),
    ("A picture frame on a red wall", "en", set()),
    ("Bild einer Tasse", "de", {"says-picture"}),
    ("Bild einer Tasse", "en", set()),
    ("  Photo   of the mayor", "en-GB", {"says-picture"}),
    ("The image shows a teapot", "en", {"says-picture"}),
    ("IMG_2034.JPG", "en", {"file-name"}),
    ("dsc-00123", "en", {"file-name"}),
    ("harbour.webp", "fr", {"file-name"}),
    ("1984", "en", {"file-name"}),
    ("image", "en", {"placeholder"}),
    ("Foto 12", "de", {"placeholder"}),
    ("TODO", "en", {"placeholder"}),
    ("x" * 60 + " " + "y" * 70, "en", {"long"}),
    ("Image of " + "a long teapot " * 10, "en", {"says-picture", "long"}),
    ("", "en", set()),
]


@pytest.mark.parametrize(("text", "language", "codes"), EXAMPLES)
def test_examples(text: str, language: str, codes: set[str]) -> None:
    assert set(advice(text, language)) == codes


@given(st.text(max_size=300), st.sampled_from(["en", "de", "fr", "", "pt-br"]))
def test_any_text_is_read(text: str, language: str) -> None:
    assert all(sentence for sentence in advice(text, language).values())


@pytest.mark.django_db
def test_the_same_words_elsewhere(library: Library) -> None:
    one, other = library.asset(), library.asset()
    AltText.objects.filter(asset=other, language="de").update(text="Anders")
    assert duplicates(one, " boats in the HARBOUR ", "en").get().asset == other
    assert not duplicates(one, "Boote im Hafen", "de").exists()
    assert not duplicates(one, "", "en").exists()


@pytest.mark.django_db
def test_a_text_older_than_the_pixels(library: Library) -> None:
    asset = library.asset()
    assert outdated(asset) == set()
    library.version(asset)
    assert outdated(asset) == {"en", "de"}
    AltText.objects.get(asset=asset, language="en").save()
    assert outdated(asset) == {"de"}
