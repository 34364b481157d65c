"""The engines elsewhere pass the same suite, over real sockets."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from imagepipe.generation.backends import make
from imagepipe.generation.request import Adapter, Control, ModelReference, Request
from tests.contracts.backend_suite import BackendCase, BackendSuite
from tests.contracts.backend_suite_case import scene
from tests.engines.comfyui_server import ComfyUIServer
from tests.engines.images_api_server import KEY, SIZES, ImagesAPIServer
from tests.engines.web_ui_server import CHECKPOINT, WebUIServer

CONTROLS = (
    Control("canny", scene(64, 64), ModelReference("edges", "control_canny"), 0.6),
    Control("depth", scene(40, 64), ModelReference("depth", "control_depth"), 0.4, 0.5),
)
ADAPTERS = (Adapter("brand", "brand.safetensors", weight=0.7),)


class TestAutomatic1111Backend(BackendSuite):
    @pytest.fixture(scope="class")
    def case(self) -> Iterator[BackendCase]:
        with WebUIServer() as server:
            yield BackendCase(
                backend=make("automatic1111", address=server.address, poll_seconds=0.01),
                model=ModelReference("tiny", CHECKPOINT, "sd15"),
                request=Request("a red apple", "tiny", 7, 64, 64, steps=6),
                other_size=(48, 72),
                controls=CONTROLS,
                adapters=ADAPTERS,
            )


class TestComfyUIBackend(BackendSuite):
    @pytest.fixture(scope="class")
    def case(self) -> Iterator[BackendCase]:
        with ComfyUIServer() as server:
            yield BackendCase(
                backend=make("comfyui", address=server.address),
                model=ModelReference("tiny", "tiny.safetensors", "sd15"),
                request=Request("a red apple", "tiny", 7, 64, 64, steps=6),
                other_size=(48, 72),
                controls=CONTROLS,
                adapters=ADAPTERS,
            )


class TestOpenAIImagesBackend(BackendSuite):
    @pytest.fixture(scope="class")
    def case(self) -> Iterator[BackendCase]:
        with ImagesAPIServer() as server:
            address = f"{server.address}/v1"
            yield BackendCase(
                backend=make("openai-images", address=address, key=KEY, sizes=SIZES),
                model=ModelReference("gpt-image", "gpt-image-2"),
                request=Request("a red apple", "gpt-image", 7, 64, 64, steps=6),
                other_size=(96, 64),
            )
