"""Animations: GIF and WebP in and out, single frames, limits."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageSequence

from edge.app import EdgeApp
from imagepipe.credentials import parse_xmp, read_xmp, verify
from imagepipe.urlspec import negotiate, parse_transform, plan
from tests.edge.conftest import CHROME, Delivery, Get, encoded

COLOURS = ("red", "lime", "blue", "yellow", "black")
DELAYS = [100, 200, 300, 100, 50]
SIZE = (120, 80)


def frames(size: tuple[int, int] = SIZE, count: int = 5) -> list[Image.Image]:
    """A field of one colour each, with a white corner at the top left."""
    found = []
    for number in range(count):
        image = Image.new("RGB", size, COLOURS[number % 5])
        image.paste("white", (0, 0, size[0] // 4, size[1] // 4))
        found.append(image)
    return found


def animation(kind: str, **options: Any) -> bytes:
    first, *rest = frames(**options)
    delays = DELAYS[: len(rest) + 1] if len(rest) < 5 else 100
    return encoded(
        first, kind, save_all=True, append_images=rest, duration=delays, loop=3, lossless=True
    )


def count(image: Image.Image) -> int:
    return int(getattr(image, "n_frames", 1))


def stills(body: bytes) -> list[Image.Image]:
    image = Image.open(io.BytesIO(body))
    return [frame.convert("RGB") for frame in ImageSequence.Iterator(image)]


@pytest.fixture(params=["GIF", "WEBP"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def asset(delivery: Delivery, kind: str) -> str:
    return delivery.publish(delivery.version(animation(kind), f"image/{kind.lower()}"))


def is_colour(image: Image.Image, name: str, place: tuple[int, int]) -> bool:
    wanted = np.array(Image.new("RGB", (1, 1), name).getpixel((0, 0)), int)
    return bool(np.abs(np.array(image.getpixel(place), int) - wanted).max() < 40)


@pytest.mark.parametrize("extension", ["webp", "gif"])
@pytest.mark.parametrize(
    "transform",
    ["full", "w_60", "w_40,h_40,c_fill,g_southeast", "w_90,h_90,c_pad,b_000000",
     "w_50,r_0.0.5000.5000", "w_60,h_30,c_fill,g_attention", "w_180,u_1"],
)  # fmt: skip
def test_every_frame_is_made_by_the_plan(
    delivery: Delivery, get: Get, asset: str, extension: str, transform: str
) -> None:
    todo = plan(*SIZE, parse_transform(transform))

    answer = get(delivery.url(asset, transform, extension))

    assert answer.headers["Content-Type"] == f"image/{extension}"
    image = answer.image
    assert (count(image), image.size) == (5, (todo.width, todo.height))
    shown = stills(answer.body)
    for frame, name in zip(shown, COLOURS, strict=True):
        assert is_colour(frame, name, (todo.width * 2 // 3, todo.height * 2 // 3))


def test_time_and_repetition_are_kept(
    delivery: Delivery, get: Get, asset: str, kind: str
) -> None:
    """A GIF tells how often it is repeated, a WebP how often it is shown."""
    shown = 4 if kind == "GIF" else 3
    for extension, loop in (("webp", shown), ("gif", shown - 1)):
        image = get(delivery.url(asset, "w_60", extension)).image
        delays = []
        for number in range(count(image)):
            image.seek(number)
            image.load()
            delays.append(image.info["duration"])
        assert delays == DELAYS
        assert image.info["loop"] == loop


@pytest.mark.parametrize("extension", ["jpg", "png", "avif"])
def test_formats_that_stand_still_show_the_first_frame(
    delivery: Delivery, get: Get, asset: str, extension: str
) -> None:
    image = get(delivery.url(asset, "w_60", extension)).image

    assert count(image) == 1
    assert is_colour(image.convert("RGB"), "red", (40, 30))


@pytest.mark.parametrize(("number", "name"), [(1, "red"), (3, "blue"), (99, "black")])
@pytest.mark.parametrize("extension", ["jpg", "webp", "gif"])
def test_any_frame_can_be_had_alone(
    delivery: Delivery, get: Get, asset: str, number: int, name: str, extension: str
) -> None:
    image = get(delivery.url(asset, f"w_60,f_{number}", extension)).image

    assert count(image) == 1
    assert is_colour(image.convert("RGB"), name, (40, 30))


@pytest.mark.parametrize(
    ("accept", "extension"),
    [
        (CHROME, "webp"), ("image/webp", "webp"), ("", "gif"), ("*/*", "gif"),
        ("image/avif", "gif"), ("image/webp;q=0,*/*", "gif"),
        ("image/gif,image/webp;q=0.5", "gif"), ("image/gif;q=0.5,image/webp", "webp"),
    ],
)  # fmt: skip
def test_what_moves_is_never_negotiated_to_a_still(
    delivery: Delivery, get: Get, accept: str, extension: str
) -> None:
    asset = delivery.publish(delivery.version(animation("GIF"), "image/gif", parent=False))

    answer = get(delivery.url(asset, "w_60", "auto"), accept=accept)

    assert answer.headers["Content-Type"] == f"image/{extension}"
    assert count(answer.image) == 5
    assert answer.headers["Vary"] == "Accept, Save-Data"
    assert negotiate(accept, moves=True) == extension
    still = get(delivery.url(asset, "w_60,f_2", "auto"), accept=accept)
    assert still.headers["Content-Type"] != "image/gif"


@pytest.mark.parametrize(
    "limits",
    [{"max_frames": "4"}, {"max_animation_pixels": str(5 * 120 * 80 - 1)}],
)
def test_above_the_limits_it_stands_still_and_is_not_decoded(
    delivery: Delivery,
    make_edge: Callable[..., Get],
    asset: str,
    limits: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import edge.making

    def refuse(*_args: Any) -> None:
        raise AssertionError("decoded")

    monkeypatch.setattr(edge.making, "render_moving", refuse)
    get = make_edge(**limits)

    image = get(delivery.url(asset, "w_60", "webp")).image

    assert count(image) == 1
    assert is_colour(image.convert("RGB"), "red", (40, 30))


def test_the_limit_holds_for_the_result_too(
    delivery: Delivery, make_edge: Callable[..., Get], asset: str
) -> None:
    get = make_edge(max_animation_pixels=str(5 * 240 * 160))

    assert count(get(delivery.url(asset, "w_240,u_1", "webp")).image) == 5
    assert count(get(delivery.url(asset, "w_241,u_1", "webp")).image) == 1


def test_animations_are_marked(
    delivery: Delivery, get: Get, asset: str, identities: Any
) -> None:
    anchors = (identities / "root.pem").read_bytes()
    for extension in ("webp", "gif"):
        url = delivery.url(asset, "w_60", extension)
        answer = get(url)
        packet = read_xmp(answer.body, f"image/{extension}")
        assert packet is not None and parse_xmp(packet).title == "Harbour"
        sidecar = get(answer.sidecar_of(url)).body
        report = verify(answer.body, f"image/{extension}", anchors, sidecar=sidecar)
        assert (report.state, report.failures) == ("trusted", ())


def test_large_animations_carry_their_credential(
    delivery: Delivery, make_edge: Callable[..., Get], asset: str, identities: Any
) -> None:
    get = make_edge(embed_from="0")
    anchors = (identities / "root.pem").read_bytes()
    for extension in ("webp", "gif"):
        answer = get(delivery.url(asset, "w_60", extension))
        assert count(answer.image) == 5
        assert verify(answer.body, f"image/{extension}", anchors).state == "trusted"


def test_a_gif_that_does_not_move_is_a_picture_like_others(
    delivery: Delivery, get: Get
) -> None:
    data = encoded(frames()[2], "GIF")
    asset = delivery.publish(delivery.version(data, "image/gif"))

    for accept, expected in ((CHROME, "image/avif"), ("*/*", "image/jpeg")):
        answer = get(delivery.url(asset, "w_60", "auto"), accept=accept)
        assert answer.status == 200
        assert answer.headers["Content-Type"] in (expected, "image/png")
        assert is_colour(answer.image.convert("RGB"), "blue", (40, 30))


def test_settling_leaves_animations_alone(
    delivery: Delivery, make_edge: Callable[..., Get], asset: str
) -> None:
    get = make_edge(settle="yes")
    answer = get(delivery.url(asset, "w_60", "webp"))

    assert answer.headers["Server-Timing"].startswith("cache;desc=made")
    assert count(get(delivery.url(asset, "w_60", "webp")).image) == 5
    still = get(delivery.url(asset, "w_60,f_4", "webp"))
    assert still.headers["Server-Timing"].startswith("cache;desc=provisional")
    app: EdgeApp = get.app  # type: ignore[attr-defined]
    app.producer._renewals._pool.submit(lambda: None).result(timeout=20)
    settled = get(delivery.url(asset, "w_60,f_4", "webp"))
    assert is_colour(settled.image.convert("RGB"), "yellow", (40, 30))


def test_a_damaged_animation_is_refused(delivery: Delivery, get: Get, kind: str) -> None:
    data = animation(kind)
    version = delivery.version(data, f"image/{kind.lower()}", parent=False)
    cut = data[: len(data) * 2 // 3]
    broken = type(version)(
        **{
            **{name: getattr(version, name) for name in version.__dataclass_fields__},
            "sha256": delivery.version(
                cut, f"image/{kind.lower()}", upright=SIZE, parent=False
            ).sha256,
            "bytes": len(cut),
        }
    )
    asset = delivery.publish(broken)

    answer = get(delivery.url(asset, "w_60", "webp"))

    if kind == "GIF" and answer.status == 200:  # whole frames of a GIF can be read
        assert 1 <= len(stills(answer.body)) < 5
    else:
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.status == 502
