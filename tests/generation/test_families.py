"""Every mode and scheduler that a family declares, with a tiny random pipeline of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from imagepipe.generation.backends.diffusers import DiffusersBackend
from imagepipe.generation.capabilities import Capabilities
from imagepipe.generation.exceptions import GenerationError, InvalidModel
from imagepipe.generation.families import FLOW_SCHEDULERS, NOISE_SCHEDULERS
from imagepipe.generation.request import Control, Mode, ModelReference, Request
from tests.contracts.backend_suite_case import Recorder, mask, pixels, scene
from tests.generation import tiny_families

SIDE = 40


@pytest.fixture(scope="module", params=tiny_families.FAMILIES)
def family(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def model(family: str, tmp_path_factory: pytest.TempPathFactory) -> ModelReference:
    folder = tiny_families.build(family, tmp_path_factory.mktemp("family"))
    return ModelReference(family, str(folder))


@pytest.fixture(scope="module")
def backend() -> DiffusersBackend:
    return DiffusersBackend()


def request_for(mode: Mode, **changes: object) -> Request:
    values: dict[str, object] = {
        "seed": 5,
        "steps": 3,
        "guidance": 3.0,
        "mode": mode,
        "strength": 0.9,
    }
    if mode is not Mode.TEXT_TO_IMAGE:
        values["init_image"] = scene(SIDE, SIDE)
    if mode is Mode.INPAINT:
        values["mask"] = mask(SIDE, SIDE, (16, 16, 32, 32))
    if mode is Mode.OUTPAINT:
        values |= {"init_image": scene(SIDE - 12, SIDE - 8), "offset": (4, 8)}
    return Request(
        prompt="a red apple", model="tiny", width=SIDE, height=SIDE, **(values | changes)
    )


def test_all_declared_modes_work(backend: DiffusersBackend, model: ModelReference) -> None:
    modes = backend.capabilities(model).modes
    assert Mode.INPAINT in modes and Mode.OUTPAINT in modes
    for mode in modes:
        seen = Recorder()
        first = backend.generate(request_for(mode, steps=6), model, seen)
        assert first.image().size == (SIDE, SIDE)
        assert seen.previews
        if mode is Mode.OUTPAINT:
            continue  # runs as inpainting does
        assert backend.generate(request_for(mode, steps=6), model).png == first.png
        if mode is Mode.INPAINT:
            found, source = pixels(first.png), pixels(scene(SIDE, SIDE))
            outside = np.ones((SIDE, SIDE), bool)
            outside[8:40, 8:40] = False
            assert (found[outside] == source[outside]).all()


def test_capabilities_differ_by_family(
    backend: DiffusersBackend, model: ModelReference, family: str
) -> None:
    found = backend.capabilities(model)
    everything = frozenset(Mode)
    edits = frozenset({Mode.INPAINT, Mode.OUTPAINT})

    def facts(capabilities: Capabilities) -> tuple[object, ...]:
        return (
            capabilities.modes,
            capabilities.schedulers,
            capabilities.supports_negative,
            capabilities.control_modes,
            capabilities.supports_references,
            capabilities.size_multiple,
        )

    text = frozenset({Mode.TEXT_TO_IMAGE})
    assert (
        facts(found)
        == {
            "sdxl": (everything, NOISE_SCHEDULERS, True, everything, True, 8),
            "sd3": (everything, FLOW_SCHEDULERS, True, text, False, 8),
            "flux": (everything, FLOW_SCHEDULERS, False, everything, False, 8),
            "z-image": (everything, FLOW_SCHEDULERS, True, frozenset(), False, 8),
            "sd-inpainting": (edits, NOISE_SCHEDULERS, True, edits, True, 8),
        }[family]
    )


def test_every_scheduler_works_in_every_mode(
    backend: DiffusersBackend, model: ModelReference
) -> None:
    capabilities = backend.capabilities(model)
    modes = sorted(capabilities.modes - {Mode.OUTPAINT})
    for number, scheduler in enumerate(capabilities.schedulers):
        mode = modes[number % len(modes)]
        result = backend.generate(request_for(mode, steps=4, scheduler=scheduler), model)
        assert result.environment.scheduler == scheduler


def test_negative_prompts_and_guidance_are_heard(
    backend: DiffusersBackend, model: ModelReference
) -> None:
    capabilities = backend.capabilities(model)
    mode = sorted(capabilities.modes)[0]
    base = backend.generate(request_for(mode), model).png
    if capabilities.supports_negative:
        negative = request_for(mode, negative_prompt="a a a red")
        assert backend.generate(negative, model).png != base
    if capabilities.supports_guidance:
        assert backend.generate(request_for(mode, guidance=9.0), model).png != base


def test_controls_work_in_the_modes_that_declare_them(
    backend: DiffusersBackend, model: ModelReference, family: str, tmp_path: Path
) -> None:
    modes = backend.capabilities(model).control_modes
    if not modes or family == "sd-inpainting":
        return  # Stable Diffusion's are in the contract
    folder = tiny_families.write_controlnet(family, Path(model.location), tmp_path / "net")
    one = Control("canny", scene(SIDE, SIDE), ModelReference("net", str(folder)))
    two = (replace(one, weight=0.6), replace(one, image=scene(40, SIDE), end=0.5))
    for mode in sorted(modes):
        plain = backend.generate(request_for(mode), model)
        steered = backend.generate(request_for(mode, controls=(one,)), model)
        both = backend.generate(request_for(mode, controls=two), model)
        assert len({plain.png, steered.png, both.png}) == 3, mode


def test_a_controlnet_of_another_family_is_refused(
    backend: DiffusersBackend, tmp_path: Path
) -> None:
    model = tiny_families.build("sd3", tmp_path)
    other = tiny_families.write_controlnet("flux", model, tmp_path / "net")
    control = Control("canny", scene(SIDE, SIDE), ModelReference("net", str(other)))
    with pytest.raises(InvalidModel, match="no ControlNet for this model"):
        backend.generate(
            request_for(Mode.TEXT_TO_IMAGE, controls=(control,)),
            ModelReference("sd3", str(model)),
        )


def test_a_mode_that_the_family_lacks_is_refused(backend: DiffusersBackend, tmp_path) -> None:
    model = tiny_families.build("sd-inpainting", tmp_path)
    with pytest.raises(GenerationError, match="cannot do text-to-image"):
        backend.generate(
            request_for(Mode.TEXT_TO_IMAGE), ModelReference("inpainting", str(model))
        )
