"""The training commands, as far as a machine without a GPU goes."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType

import pytest

FIXTURES = Path(__file__).parents[2] / "fixtures"
TRAINING = FIXTURES / "models/training"
COMMANDS = {"base": 3, "decoder": 3, "controlnet": 3, "lora": 3, "embedding": 3, "clip": 3}


@pytest.fixture
def loop(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    pytest.importorskip("diffusers")
    monkeypatch.syspath_prepend(str(TRAINING))
    return importlib.import_module("loop")


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_takes_a_device_and_says_when_there_is_none(
    command: str,
    loop: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    main = importlib.import_module(f"train_{command}").main
    for device, message in (("cuda", "torch finds no CUDA device"), ("tpu", "cpu or cuda")):
        arguments = ["data", "base", "out"][: COMMANDS[command]]
        monkeypatch.setattr("sys.argv", [command, *arguments, "--device", device])
        with pytest.raises(SystemExit) as ended:
            main()
        assert ended.value.code == 2
        assert message in capsys.readouterr().err


def test_where_there_is_a_gpu_it_is_taken(
    loop: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert loop.usable_device("cuda") == "cuda"
    assert loop.usable_device("cpu") == "cpu"


def test_a_stopped_training_goes_on_from_its_checkpoint(
    loop: ModuleType, tmp_path: Path
) -> None:
    import torch

    steps: list[int] = []

    def run(seconds: float) -> torch.nn.Linear:
        torch.manual_seed(0)
        module = torch.nn.Linear(2, 1)

        def loss_of(step: int) -> torch.Tensor:
            steps.append(step)
            return (module(torch.ones(4, 2)) - 3).square().mean()

        plan = loop.Plan("line", tmp_path, seconds, 1e-2, every=5, warm_up=1)
        loop.train(plan, {"line": module}, module.parameters(), loss_of)
        return module

    run(0.1)
    first = len(steps)
    assert steps == list(range(first)) and first > 5
    module = run(0.4)
    assert steps[first] == first, "it began anew"
    assert abs(module(torch.ones(1, 2)).item() - 3) < 2.5
    rows = (tmp_path / "line.csv").read_text().splitlines()
    numbers = [int(row.split(",")[0]) for row in rows]
    assert numbers == sorted(set(numbers)) and numbers[0] == 5


def test_a_step_of_the_base_model_trains_text_encoder_and_unet(loop: ModuleType) -> None:
    import torch

    denoising = importlib.import_module("denoising")
    tokens = importlib.import_module("train_interim").token_ids
    from transformers import CLIPTokenizer

    folder = FIXTURES / "models/pocket-objects"
    torch.manual_seed(0)
    _, text, unet = denoising.load_parts(folder)
    tokenizer = CLIPTokenizer.from_pretrained(folder / "tokenizer", local_files_only=True)
    prompts = tokens(tokenizer, ["a fox on a blue background"])
    latents = torch.randn(1, 8, 16, 16)
    loss = denoising.denoising_loss(unet, text, latents, prompts, "cpu")
    loss.backward()
    assert torch.isfinite(loss)
    for part in (text, unet):
        assert sum(p.grad.abs().sum() for p in part.parameters() if p.grad is not None) > 0
