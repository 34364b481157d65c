from __future__ import annotations

from dataclasses import replace

from imagepipe.generation.differences import Difference, differences
from imagepipe.generation.recipe import Environment

THEN = Environment(
    backend="diffusers",
    backend_version="1",
    model_sha256="a" * 64,
    scheduler="DDIMScheduler",
    precision="float32",
    device="cpu",
    hardware="One",
    platform="Linux-x86_64",
    threads=1,
    libraries=(("Pillow", "12.0"), ("torch", "2.13.0")),
)


def test_equal_environments_do_not_differ() -> None:
    assert differences(THEN, replace(THEN)) == ()


def test_every_fact_is_compared_and_the_likeliest_cause_comes_first() -> None:
    now = Environment(
        backend="other",
        backend_version="2",
        model_sha256="b" * 64,
        scheduler="EulerDiscreteScheduler",
        precision="bfloat16",
        device="cuda",
        hardware="Two",
        platform="Linux-aarch64",
        threads=4,
        libraries=(("numpy", "2.4"), ("torch", "2.14.0")),
        settings=(("attention", "math"),),
    )
    found = differences(THEN, now)
    assert [one.code for one in found] == [
        "weights", "backend", "scheduler", "precision", "device", "hardware", "platform",
        "threads", "backend-version", "setting", "library", "library", "library",
    ]  # fmt: skip
    assert found[7] == Difference("threads", 1, 4)
    assert [(one.name, one.then, one.now) for one in found[-3:]] == [
        ("torch", "2.13.0", "2.14.0"),
        ("numpy", None, "2.4"),
        ("Pillow", "12.0", None),
    ]
