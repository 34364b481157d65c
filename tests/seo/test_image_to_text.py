"""A captioning model of transformers, tiny and untrained: registered, loaded, asked."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from imagepipe.exceptions import ImagepipeError
from imagepipe.registry.description import describe
from imagepipe.registry.folders import UnusableFolder
from imagepipe.registry.kinds import Kind
from imagepipe.registry.models import RegisteredModel
from imagepipe.seo.alt_text import image_to_text
from imagepipe.seo.alt_text.captioner import captioners
from imagepipe.seo.alt_text.facts import Facts
from imagepipe.seo.alt_text.suggesting import suggest
from tests.delivery.library import Library, png

WORDS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "a", "red", "boat", "on", "water", "two", "dogs")
FACTS = Facts(version="0" * 64, language="en")


@pytest.fixture(scope="session")
def blip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """BLIP with random weights; it says nonsense made of a few words."""
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    from tokenizers import Tokenizer, models, pre_tokenizers

    torch.manual_seed(4)
    folder = tmp_path_factory.mktemp("blip")
    small = {
        "hidden_size": 16, "intermediate_size": 32,
        "num_hidden_layers": 1, "num_attention_heads": 2,
    }  # fmt: skip
    text = small | {
        "vocab_size": len(WORDS), "max_position_embeddings": 64, "encoder_hidden_size": 16,
        "pad_token_id": 0, "bos_token_id": 2, "eos_token_id": 3, "sep_token_id": 3,
    }  # fmt: skip
    vision = small | {"image_size": 32, "patch_size": 16}
    configuration = transformers.BlipConfig(
        text_config=text, vision_config=vision, projection_dim=16, image_text_hidden_size=16
    )
    model = transformers.BlipForConditionalGeneration(configuration)
    model.save_pretrained(folder, safe_serialization=True)
    words = Tokenizer(models.WordLevel({w: n for n, w in enumerate(WORDS)}, unk_token="[UNK]"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=words, pad_token="[PAD]", unk_token="[UNK]",
        cls_token="[CLS]", sep_token="[SEP]",
    ).save_pretrained(folder)  # fmt: skip
    transformers.BlipImageProcessorPil(size={"height": 32, "width": 32}).save_pretrained(folder)
    return folder


@pytest.fixture
def registered(db: None, blip: Path) -> RegisteredModel:
    out = io.StringIO()
    call_command(
        "imagepipe", "register-model", str(blip), "--name", "Tiny", "--licence", "MIT",
        "--allow", stdout=out,
    )  # fmt: skip
    assert "Captioning model, blip" in out.getvalue()
    return RegisteredModel.objects.get()


def test_it_is_recognised_by_its_files(blip: Path) -> None:
    facts = describe(blip)
    assert (facts.kind, facts.family, facts.native_side) == (Kind.CAPTIONER, "blip", 32)


def test_it_writes_in_its_own_language_only(registered: RegisteredModel) -> None:
    assert registered.backend == "transformers"
    made = {captioner.slug: captioner for captioner in captioners()}
    assert set(made) == {"composed", "image-to-text"}
    model = made["image-to-text"]
    caption = model.caption(png(), FACTS, "en-gb")
    assert {word.lower() for word in caption.text.split()} <= set(WORDS[4:])
    assert caption.text and [words.source for words in caption.words] == ["model"]
    assert model.caption(png(), FACTS, "de").reason == "other-language"


def test_it_stands_beside_the_composed_sentences(
    registered: RegisteredModel, library: Library
) -> None:
    asset = library.asset("Harbour at dawn", alt=False)
    library.version(asset, file_name="1.png")
    outcome = suggest(asset, ["en"], captioners())
    assert outcome is not None
    said = {made.captioner: made.caption for made in outcome.made}
    assert said["composed"].text == "Harbour at dawn"
    assert said["image-to-text"].text


def test_a_retired_model_says_nothing(registered: RegisteredModel) -> None:
    RegisteredModel.objects.update(state="retired")
    assert [captioner.slug for captioner in captioners()] == ["composed"]


def test_other_files_than_were_registered_are_not_loaded(blip: Path) -> None:
    model = image_to_text.ImageToText(blip, "0" * 64)
    with pytest.raises(ImagepipeError, match="No captions"):
        model.caption(png(), FACTS, "en")


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("config.json", '{"model_type": "blip", "architectures": ["BlipModel"]}'),
        ("preprocessor_config.json", None),
        ("tokenizer.json", None),
        ("extra.safetensors", ""),
        ("pytorch_model.bin", "x"),
        ("modeling.py", "x"),
    ],
)
def test_folders_that_are_no_such_model(
    blip: Path, tmp_path: Path, name: str, change: Any
) -> None:
    for path in blip.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    if change is None:
        (tmp_path / name).unlink()
    else:
        (tmp_path / name).write_text(change)
    with pytest.raises(UnusableFolder):
        describe(tmp_path, Kind.CAPTIONER)
