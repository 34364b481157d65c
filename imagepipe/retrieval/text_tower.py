"""The half of a CLIP that reads words, computed with NumPy.

The process that serves the admin asks for a few short texts now and then: for that it needs
neither torch nor the half that looks at pictures. Radford et al., Learning Transferable Visual
Models From Natural Language Supervision, https://arxiv.org/abs/2103.00020.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


class UnusableTower(Exception):
    """These files are not what can be computed here; torch may still read them."""


def _quick_gelu(values: Floats) -> Floats:
    return values / (1 + np.exp(-1.702 * values))


def _gelu(values: Floats) -> Floats:
    from scipy.special import erf

    return values * 0.5 * (1 + erf(values / np.sqrt(np.float32(2))))


ACTIVATIONS: dict[str, Callable[[Floats], Floats]] = {
    "quick_gelu": _quick_gelu,
    "gelu": _gelu,
}


class TextTower:
    """Weights as they are in a folder of ``transformers.CLIPModel``, in 32-bit floats.

    Raises ``ImportError`` where the readers of its files are missing, ``OSError`` for files
    that are, and :class:`UnusableTower` for models of another kind.
    """

    def __init__(self, folder: Path) -> None:
        from tokenizers import Tokenizer

        self._read_config(folder)
        place = folder / "tokenizer.json"
        if not place.is_file():
            raise UnusableTower("there is no tokenizer.json")
        self._tokenizer = Tokenizer.from_file(str(place))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(self._positions)
        self._weights = _read_weights(folder / "model.safetensors")

    def _read_config(self, folder: Path) -> None:
        try:
            own = json.loads((folder / "config.json").read_text("utf-8"))["text_config"]
            self._layers = int(own.get("num_hidden_layers", 12))
            self._heads = int(own.get("num_attention_heads", 8))
            self._positions = int(own.get("max_position_embeddings", 77))
            self._epsilon = float(own.get("layer_norm_eps", 1e-5))
            self._activate = ACTIVATIONS[own.get("hidden_act", "quick_gelu")]
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise UnusableTower("config.json is not that of a CLIP") from error

    def vector(self, text: str) -> Floats:
        """Return what the model makes of a text, at length 1; words too many are left out."""
        ids = self._tokenizer.encode(text).ids
        try:
            values = self._weights["embeddings.token_embedding.weight"][ids]
            values = values + self._weights["embeddings.position_embedding.weight"][: len(ids)]
            for number in range(self._layers):
                values = self._layer(f"encoder.layers.{number}.", values)
            last = self._normalised("final_layer_norm", values)[ids.index(ids[-1])]
            projected = self._weights["text_projection.weight"] @ last
        except (KeyError, IndexError, ValueError) as error:
            raise UnusableTower("the weights are not those of a CLIP") from error
        return np.asarray(projected / np.linalg.norm(projected), np.float32)

    def _layer(self, name: str, values: Floats) -> Floats:
        values = values + self._attention(
            f"{name}self_attn.", self._normalised(f"{name}layer_norm1", values)
        )
        inner = self._linear(f"{name}mlp.fc1", self._normalised(f"{name}layer_norm2", values))
        return values + self._linear(f"{name}mlp.fc2", self._activate(inner))

    def _attention(self, name: str, values: Floats) -> Floats:
        count, width = values.shape

        def heads(part: str) -> Floats:
            split = self._linear(f"{name}{part}_proj", values)
            return split.reshape(count, self._heads, -1).transpose(1, 0, 2)

        scores = heads("q") @ heads("k").transpose(0, 2, 1)
        scores = scores / np.sqrt(np.float32(width // self._heads))
        before = np.tri(count, dtype=bool)  # no word sees those that follow
        scores = np.where(before, scores, -np.inf)
        scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
        mixed = (scores / scores.sum(axis=-1, keepdims=True)) @ heads("v")
        return self._linear(f"{name}out_proj", mixed.transpose(1, 0, 2).reshape(count, width))

    def _linear(self, name: str, values: Floats) -> Floats:
        found: Floats = values @ self._weights[f"{name}.weight"].T
        return found + self._weights[f"{name}.bias"]

    def _normalised(self, name: str, values: Floats) -> Floats:
        mean = values.mean(axis=-1, keepdims=True)
        spread = np.sqrt(values.var(axis=-1, keepdims=True) + np.float32(self._epsilon))
        scaled: Floats = (values - mean) / spread * self._weights[f"{name}.weight"]
        return scaled + self._weights[f"{name}.bias"]


def _read_weights(place: Path) -> dict[str, Floats]:
    from safetensors import SafetensorError, safe_open

    found = {}
    try:
        with safe_open(place, framework="numpy") as file:
            for key in file.keys():
                if key.startswith("text_"):
                    tensor = file.get_tensor(key)
                    found[key.removeprefix("text_model.")] = np.asarray(tensor, np.float32)
    except (SafetensorError, TypeError) as error:  # such as bfloat16, unknown to NumPy
        raise UnusableTower("the weights cannot be read with NumPy") from error
    return found


_known: dict[str, TextTower | UnusableTower] = {}
_lock = threading.Lock()


def text_tower(folder: Path) -> TextTower:
    """Return the tower of a folder, read once in this process. Raises as the class does."""
    key = str(folder.resolve())
    with _lock:
        if key not in _known:
            if not (folder / "model.safetensors").is_file():
                raise FileNotFoundError(folder / "model.safetensors")
            found: Any
            try:
                found = TextTower(folder)
            except UnusableTower as error:
                found = error
            _known[key] = found
        tower = _known[key]
    if isinstance(tower, UnusableTower):
        raise UnusableTower(str(tower))
    return tower
