from __future__ import annotations

import pytest

from imagepipe.registry.folders import UnusableFolder
from imagepipe.registry.hub import is_hub_id, source_of
from imagepipe.registry.hub_files import choose_files, variant_of

INDEX = {"_class_name": "P", "unet": ["diffusers", "U"], "text": ["transformers", "T"]}


def chosen(*paths: str, index: object = INDEX, variant: str = "") -> set[str]:
    return set(choose_files(dict.fromkeys(paths, 1), index, variant))  # type: ignore[arg-type]


def test_one_variant_of_each_folder_is_chosen():
    paths = (
        "model_index.json", "unet/config.json", "unet/w.safetensors", "unet/w.fp16.safetensors",
        "unet/w.non_ema.safetensors", "text/model.safetensors", "text/model.bin",
    )  # fmt: skip
    always = {"model_index.json", "unet/config.json", "text/model.safetensors"}
    assert chosen(*paths) == always | {"unet/w.safetensors"}
    assert chosen(*paths, variant="fp16") == always | {"unet/w.fp16.safetensors"}


def test_shards_go_with_their_index():
    paths = (
        "unet/w-00001-of-00002.safetensors", "unet/w-00002-of-00002.safetensors",
        "unet/w.safetensors.index.json", "unet/w.fp16.safetensors",
        "unet/w.fp16.safetensors.index.json",
    )  # fmt: skip
    assert chosen(*paths) == set(paths[:3])
    assert variant_of("w.fp16-00001-of-00002.safetensors") == "fp16"


def test_folders_that_the_index_does_not_name_and_ways_out_are_left():
    paths = ("unet/w.safetensors", "onnx/w.safetensors", "../w.safetensors", "unet/../w.json",
             "/w.json", "unet/deep/w.json", "unet/.hidden.json", "big.safetensors",
             "code.py")  # fmt: skip
    assert chosen(*paths) == {"unet/w.safetensors"}


def test_a_companion_is_what_lies_at_the_top():
    paths = ("adapter.safetensors", "README.md", "sample.png", "old/adapter.safetensors")
    assert chosen(*paths, index=None) == {"adapter.safetensors", "README.md"}


@pytest.mark.parametrize(
    ("paths", "message"),
    [
        (("unet/w.bin",), "no weights as safetensors"),
        (("unet/w.fp16.safetensors",), "in these variants only: fp16"),
    ],
)
def test_what_cannot_be_chosen_says_why(paths: tuple[str, ...], message: str):
    with pytest.raises(UnusableFolder, match=message):
        chosen(*paths)


def test_unknown_sizes_are_refused():
    with pytest.raises(UnusableFolder, match="does not say how large"):
        choose_files({"a.safetensors": None}, None)


@pytest.mark.parametrize(
    ("text", "is_id"),
    [
        ("owner/name", True), ("o.w-n_er/na.me-1", True), ("name", False), ("a/b/c", False),
        ("../name", False), ("owner/..", False), ("/srv/model", False), ("owner/na--me", False),
        ("owner/name\n", False), ("", False),
    ],
)  # fmt: skip
def test_ids(text: str, is_id: bool):
    assert is_hub_id(text) is is_id


def test_the_source_of_a_cached_folder():
    assert source_of("/c/models--o--n/snapshots/abc") == "o/n@abc"
    assert source_of("/srv/models/objects") == ""
