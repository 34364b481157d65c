"""Peculiarities of each engine: masks by pixels, cancelling, dropped connections."""

from __future__ import annotations

import base64
import io
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from imagepipe.generation.backends import make
from imagepipe.generation.backends.comfyui_graph import read_template
from imagepipe.generation.backends.protocol import Backend
from imagepipe.generation.exceptions import (
    BackendDown,
    BackendUnavailable,
    Cancelled,
    InvalidAnswer,
    InvalidModel,
    RequestRefused,
    UnsupportedRequest,
)
from imagepipe.generation.request import Adapter, Mode, ModelReference, Request
from tests.contracts.backend_suite_case import Recorder, mask, pixels, png
from tests.engines.comfyui_server import ComfyUIServer
from tests.engines.images_api_server import KEY, SIZES, ImagesAPIServer
from tests.engines.serving import reply
from tests.engines.web_ui_server import CHECKPOINT, WebUIServer

MODEL = ModelReference("tiny", CHECKPOINT)
REQUEST = Request("a red apple", "tiny", 7, 64, 64, steps=4)
BOX = (8, 8, 40, 40)
GREY = png(Image.new("RGB", (64, 64), (128, 128, 128)))
INPAINT = replace(
    REQUEST, mode=Mode.INPAINT, init_image=GREY, mask=mask(64, 64, BOX), feather=0, strength=0.9
)


@pytest.fixture
def web_ui() -> Iterator[WebUIServer]:
    with WebUIServer() as server:
        yield server


@pytest.fixture
def comfy() -> Iterator[ComfyUIServer]:
    with ComfyUIServer() as server:
        yield server


def a1111(server: WebUIServer) -> Backend:
    return make("automatic1111", address=server.address, poll_seconds=0.01)


def comfyui(server: ComfyUIServer, **options: Any) -> Backend:
    return make("comfyui", address=server.address, **({"look_seconds": 0.1} | options))


def until(condition: Callable[[], Any], seconds: float = 5.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def assert_only_the_box_was_painted(result: bytes) -> None:
    changed = np.abs(pixels(result) - 128).max(-1)
    inside = changed[BOX[1] : BOX[3], BOX[0] : BOX[2]]
    assert np.median(inside) > 20, "the engine painted what was to be kept"
    changed[BOX[1] : BOX[3], BOX[0] : BOX[2]] = 0
    assert changed.max() == 0


def sent_mask(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)))


def test_white_is_repainted_by_the_web_ui(web_ui: WebUIServer) -> None:
    assert_only_the_box_was_painted(a1111(web_ui).generate(INPAINT, ModelReference("t")).png)
    body = web_ui.calls("/sdapi/v1/img2img")[0].json()
    sent = sent_mask(base64.b64decode(body["mask"]))
    assert sent[20, 20] == 255 and sent[60, 60] == 0 and not body["inpainting_mask_invert"]


def test_white_is_repainted_by_comfyui(comfy: ComfyUIServer) -> None:
    assert_only_the_box_was_painted(comfyui(comfy).generate(INPAINT, MODEL).png)


def test_what_is_transparent_is_repainted_by_the_images_api() -> None:
    with ImagesAPIServer() as server:
        backend = make("openai-images", address=server.address + "/v1", key=KEY, sizes=SIZES)
        assert_only_the_box_was_painted(backend.generate(INPAINT, MODEL).png)
        sent = sent_mask(server.asked[-1].parts()["mask"][1])
        assert sent[20, 20, 3] == 0 and sent[60, 60, 3] == 255


def test_the_blocking_call_is_interrupted_from_another_thread(web_ui: WebUIServer) -> None:
    web_ui.seconds_per_step = 0.05
    stop = threading.Event()

    def on_step(step: int, steps: int, preview: bytes | None) -> None:
        if stop.is_set():
            raise Cancelled("Stopped.")
        if step >= 1:
            stop.set()

    began = time.monotonic()
    with pytest.raises(Cancelled):
        a1111(web_ui).generate(replace(REQUEST, steps=100), ModelReference("t"), on_step)
    assert time.monotonic() - began < 4  # the whole takes longer
    until(lambda: web_ui.interrupts)
    until(lambda: not web_ui.lock.locked())


def test_nobody_elses_job_is_interrupted(web_ui: WebUIServer) -> None:
    """Ours waits at the server behind one of somebody who uses its own page."""
    web_ui.seconds_per_step = 0.02
    body = {"prompt": "x", "seed": 1, "steps": 150, "cfg_scale": 7, "width": 64, "height": 64}
    other = threading.Thread(target=lambda: web_ui._work(body, None, None))
    other.start()
    until(lambda: web_ui.state.get("sampling_step"))
    theirs = web_ui.state["job_timestamp"]

    told: list[int] = []

    def on_step(step: int, steps: int, preview: bytes | None) -> None:
        told.append(step)
        if len(told) > 1:
            raise Cancelled("Stopped.")

    with pytest.raises(Cancelled):
        a1111(web_ui).generate(replace(REQUEST, steps=150), ModelReference("t"), on_step)
    assert told == [0, 0]  # what it saw meanwhile was not its own work

    other.join()
    until(lambda: web_ui.interrupts)
    assert theirs not in web_ui.interrupts


@pytest.mark.parametrize("info", ["{", "[]", None, 7, "[" * 100_000])
def test_the_facts_within_a_string_may_be_anything(web_ui: WebUIServer, info: object) -> None:
    web_ui.misbehave("/sdapi/v1/txt2img", reply({"images": ["x"], "info": info}))
    with pytest.raises(InvalidAnswer, match="did not say how"):
        a1111(web_ui).generate(REQUEST, ModelReference("t"))


def test_the_web_ui_is_asked_for_the_checkpoint_and_its_hash_is_kept(
    web_ui: WebUIServer,
) -> None:
    result = a1111(web_ui).generate(REQUEST, MODEL)
    body = web_ui.calls("/sdapi/v1/txt2img")[0].json()
    assert body["override_settings"] == {"sd_model_checkpoint": CHECKPOINT}
    assert not body["save_images"]
    assert len(result.environment.model_sha256) == 64
    with pytest.raises(InvalidModel, match="have changed"):
        a1111(web_ui).generate(REQUEST, replace(MODEL, sha256="0" * 64))
    with pytest.raises(UnsupportedRequest, match="has no model “other”"):
        a1111(web_ui).generate(REQUEST, ModelReference("other", "other"))


def test_prompts_load_no_files(web_ui: WebUIServer, comfy: ComfyUIServer) -> None:
    cases = [
        (a1111(web_ui), "an apple <lora:secret:1>"),
        (a1111(web_ui), "an apple <hypernet:secret:1>"),
        (comfyui(comfy), "an apple, embedding:secret"),
    ]
    for backend, prompt in cases:
        for field in ("prompt", "negative_prompt"):
            asked = replace(REQUEST, **{field: prompt})
            with pytest.raises(UnsupportedRequest, match="would load a file"):
                backend.generate(asked, ModelReference("t"))
    assert not web_ui.calls("/sdapi/v1/txt2img") and not comfy.calls("/prompt")


def test_a_dropped_websocket_is_made_anew(comfy: ComfyUIServer) -> None:
    backend = comfyui(comfy)
    expected = backend.generate(REQUEST, MODEL).png
    comfy.seconds_per_step, comfy.drop_after = 0.03, 3
    seen = Recorder()

    result = backend.generate(replace(REQUEST, steps=40), MODEL, seen)

    assert comfy.sockets_made >= 3
    assert result.png == expected  # steps change nothing in these pictures
    assert seen.calls[-1] == (40, 40)


def test_without_a_websocket_the_history_tells(comfy: ComfyUIServer) -> None:
    comfy.refuses_sockets = True
    assert comfyui(comfy).generate(REQUEST, MODEL).image().size == (64, 64)


def test_a_restarted_server_has_lost_the_job(comfy: ComfyUIServer) -> None:
    comfy.seconds_per_step = 0.05

    def on_step(step: int, steps: int, preview: bytes | None) -> None:
        if step == 2:
            comfy.refuses_sockets = True
            comfy.history = _Forgetful()
            comfy.restart()

    with pytest.raises(BackendDown, match="lost the job"):
        comfyui(comfy).generate(replace(REQUEST, steps=50), MODEL, on_step)


class _Forgetful(dict[str, Any]):
    def __setitem__(self, key: str, value: Any) -> None:
        pass


def test_only_our_own_job_is_cancelled(comfy: ComfyUIServer) -> None:
    comfy.seconds_per_step = 0.02
    backend, found = comfyui(comfy), []
    asked = replace(REQUEST, steps=120, prompt="the other")
    other = threading.Thread(target=lambda: found.append(backend.generate(asked, MODEL)))
    other.start()
    until(lambda: comfy.running)

    def on_step(step: int, steps: int, preview: bytes | None) -> None:
        if comfy.pending:
            raise Cancelled("Stopped.")

    with pytest.raises(Cancelled):
        backend.generate(replace(REQUEST, steps=30), MODEL, on_step)
    other.join()

    assert found[0].image().size == (64, 64)
    assert comfy.interrupts == [] and comfy.pending == []


def test_a_running_job_is_interrupted_by_its_id(comfy: ComfyUIServer) -> None:
    comfy.seconds_per_step = 0.02
    with pytest.raises(Cancelled):
        comfyui(comfy).generate(replace(REQUEST, steps=50), MODEL, Recorder(cancel_after=2))
    assert len(comfy.interrupts) == 1 and comfy.interrupts[0]
    until(lambda: comfy.running is None)


@pytest.mark.parametrize("honours_ids", [True, False])
def test_nothing_is_left_in_the_history(honours_ids: bool) -> None:
    with ComfyUIServer(honours_ids=honours_ids) as server:
        comfyui(server).generate(REQUEST, MODEL)
        assert server.history == {}
        assert len(server.forgotten) == 1


def test_failures_within_a_workflow_are_told_without_traces(comfy: ComfyUIServer) -> None:
    with pytest.raises(RequestRefused, match="KSampler.*cannot be multiplied") as failure:
        comfyui(comfy).generate(replace(REQUEST, prompt="explode"), MODEL)
    assert "secret path" not in str(failure.value)


def test_an_unknown_node_is_refused_with_its_name(comfy: ComfyUIServer) -> None:
    graph = json.loads(_shipped())
    graph["2"]["class_type"] = graph["3"]["class_type"] = "FancyEncode"
    backend = comfyui(comfy, workflows={"text-to-image": graph})
    with pytest.raises(RequestRefused, match="FancyEncode does not exist"):
        backend.generate(REQUEST, MODEL)


def test_a_workflow_of_ones_own_says_what_it_can_do(comfy: ComfyUIServer) -> None:
    """Here the seed and the steps are fixed, and there is no negative prompt."""
    graph = json.loads(_shipped())
    sampler = graph["5"]["inputs"]
    sampler["negative"] = sampler["positive"]
    named = {"workflow": graph, "inputs": {"prompt": "2.text"}, "output": "7"}
    backend = comfyui(comfy, workflows={"text-to-image": named})
    found = backend.capabilities()
    assert found.modes == {Mode.TEXT_TO_IMAGE}
    assert not found.supports_negative
    with pytest.raises(UnsupportedRequest, match="negative"):
        backend.generate(replace(REQUEST, negative_prompt="x"), MODEL)
    with pytest.raises(UnsupportedRequest):
        backend.generate(INPAINT, MODEL)
    assert backend.generate(REQUEST, MODEL).image().size == (64, 64)


def test_loras_are_put_in_between(comfy: ComfyUIServer) -> None:
    adapters = (Adapter("a", "a.safetensors", weight=0.5), Adapter("b", "b.safetensors"))
    comfyui(comfy).generate(replace(REQUEST, adapters=adapters), MODEL)
    graph = comfy.calls("/prompt")[0].json()["prompt"]
    first, second = graph["imagepipe-lora-0"]["inputs"], graph["imagepipe-lora-1"]["inputs"]
    assert first["model"] == ["1", 0] and second["model"] == ["imagepipe-lora-0", 0]
    assert graph["5"]["inputs"]["model"] == ["imagepipe-lora-1", 0]
    assert graph["2"]["inputs"]["clip"] == ["imagepipe-lora-1", 1]
    assert (first["lora_name"], first["strength_model"]) == ("a.safetensors", 0.5)
    assert set(graph["1"]) == {"class_type", "inputs"}


@pytest.mark.parametrize(
    ("workflow", "message"),
    [
        ("{", "not JSON"),
        ([], "must be an object"),
        ({"nodes": [], "links": []}, "export the workflow as “API”"),
        ({}, "between 1 and"),
        ({"1": {"class_type": "X"}}, "lacks class_type or inputs"),
        ({"1": {"class_type": "X", "inputs": {}}}, "no place for the prompt"),
        ({"workflow": {}, "extra": 1}, "unknown keys: extra"),
        (
            {"workflow": {"1": {"class_type": "X", "inputs": {}}}, "inputs": {"prompt": "1.t"}},
            "no input",
        ),
        (
            {"workflow": {"1": {"class_type": "X", "inputs": {}}}, "inputs": {"shell": "1.t"}},
            "no field",
        ),
    ],
)
def test_workflows_that_cannot_be_used_are_told(workflow: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_template(workflow)
    with pytest.raises(BackendUnavailable):
        make("comfyui", workflows={"text-to-image": workflow})


def _shipped() -> str:
    from imagepipe.generation.backends.comfyui import WORKFLOWS

    return (WORKFLOWS / "text-to-image.json").read_text()
