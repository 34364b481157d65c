from __future__ import annotations

from pathlib import Path

import pytest

from imagepipe.generation.backends import get
from imagepipe.generation.request import Adapter, Control, ModelReference, Reference, Request
from tests.contracts.backend_suite import BackendCase, BackendSuite
from tests.contracts.backend_suite_case import scene
from tests.generation.tiny_companions import conditions, write_ip_adapter_for

TRAINED = Path(__file__).parents[2] / "fixtures/models/pocket-objects"


def _companion(name: str) -> ModelReference:
    return ModelReference(name, str(TRAINED.parent / name))


class TestFakeBackend(BackendSuite):
    @pytest.fixture(scope="class")
    def case(self) -> BackendCase:
        return BackendCase(
            backend=get("fake"),
            model=ModelReference("sketch"),
            request=Request("a red apple on a blue background", "sketch", 7, 96, 64, steps=6),
            other_size=(61, 133),
            controls=(
                Control("canny", scene(96, 64), ModelReference("edges", "edges"), 0.6),
                Control("depth", scene(40, 64), ModelReference("depth", "depth"), 0.4, 0.5),
            ),
            adapters=(
                Adapter("brand", "loras/brand", weight=0.7),
                Adapter("mint", "mint", kind="textual-inversion", token="<mint>"),
            ),
            references=(Reference(scene(50, 50), 0.8),),
        )


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
class TestDiffusersBackend(BackendSuite):
    @pytest.fixture(scope="class")
    def case(self, tiny_model: Path, tiny_companions: Path) -> BackendCase:
        return BackendCase(
            backend=get("diffusers", threads=1),
            model=ModelReference("tiny", str(tiny_model), "sd15"),
            request=Request("a red apple", "tiny", 7, 64, 64, steps=4, guidance=4.0),
            other_size=(48, 72),
            **conditions(tiny_companions),
        )


@pytest.mark.slow
@pytest.mark.skipif(
    not (TRAINED / "model_index.json").exists(),
    reason="the trained model fixtures/models/pocket-objects is not in this checkout",
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
class TestDiffusersBackendWithTrainedModel(BackendSuite):
    @pytest.fixture(scope="class")
    def case(self, tmp_path_factory: pytest.TempPathFactory) -> BackendCase:
        pytest.importorskip("diffusers")
        follow = tmp_path_factory.mktemp("follow") / "ip-adapter"
        write_ip_adapter_for(TRAINED, follow)
        return BackendCase(
            backend=get("diffusers", threads=1),
            model=ModelReference("pocket-objects", str(TRAINED), "sd15"),
            request=Request(
                "a red apple on a blue background",
                "pocket-objects",
                7,
                128,
                128,
                steps=3,
                guidance=4.0,
                guidance_rescale=0.7,
            ),
            other_size=(96, 160),
            controls=(
                Control("canny", scene(128, 128), _companion("pocket-canny")),
                Control("canny", scene(80, 128), _companion("pocket-canny"), 0.3, 0.0, 0.5),
            ),
            adapters=(
                Adapter("pocket-pastel", str(TRAINED.parent / "pocket-pastel"), weight=0.8),
                Adapter(
                    "pocket-mint",
                    str(TRAINED.parent / "pocket-mint"),
                    kind="textual-inversion",
                    token="<mint>",
                ),
            ),
            references=(Reference(scene(60, 60), 0.9, ModelReference("f", str(follow))),),
        )
