"""The renderer itself: what the arithmetic promises is what the pixels are."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from edge.config import EdgeConfig
from edge.encode import encode
from edge.exceptions import SourceUnusable
from edge.render import Base, Limits, read_header, render
from edge.vips import pyvips
from imagepipe.urlspec import GRAVITIES, NOTHING_KNOWN, Scene, Transform, plan

LIMITS = Limits(EdgeConfig.max_source_pixels, EdgeConfig.max_source_side)


def encoded(image: Image.Image, kind: str = "PNG", **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def drawn(data: bytes, transform: Transform, scene=NOTHING_KNOWN, base=None) -> np.ndarray:
    image, _ = render(data, read_header(data, LIMITS), transform, scene, base)
    return image.numpy()


@st.composite
def masters(draw: st.DrawFn) -> tuple[bytes, tuple[int, int]]:
    """Any small picture, turned any way, and its upright size."""
    width, height = draw(st.integers(4, 90)), draw(st.integers(4, 90))
    orientation = draw(st.integers(1, 8))
    mode = draw(st.sampled_from(["RGB", "RGBA", "L"]))
    image = Image.new(mode, (width, height), draw(st.integers(0, 2**23)) if mode != "L" else 90)
    exif = Image.Exif()
    exif[0x112] = orientation
    kind = draw(st.sampled_from(["PNG", "WEBP"] if mode == "RGBA" else ["PNG", "JPEG"]))
    upright = (height, width) if orientation >= 5 else (width, height)
    return encoded(image, kind, exif=exif), upright


SHARE = st.floats(0, 0.5)


@st.composite
def transforms(draw: st.DrawFn) -> Transform:
    fit = draw(st.sampled_from(["fit", "fill", "pad", "crop"]))
    side = st.integers(1, 120)
    sizes = (
        (draw(side), draw(side))
        if fit != "fit"
        else draw(
            st.sampled_from([(None, None), (draw(side), None), (None, draw(side)), (37, 41)])
        )
    )
    gravity = "center"
    if fit in ("fill", "crop"):
        gravity = draw(st.sampled_from([*GRAVITIES, "faces-subject-focal", "faces-attention"]))
    region = draw(st.sampled_from([None, "hero", (1200, 3400, 5600, 1000), (0, 0, 100, 100)]))
    return Transform(
        *sizes,
        fit,
        gravity,
        region,
        background=draw(st.sampled_from([None, "none", "336699"])),
        upscale=fit != "crop" and sizes != (None, None) and draw(st.booleans()),
        blur=draw(st.sampled_from([None, 20])),
        sharpen=draw(st.sampled_from([None, 60])),
        profile=draw(st.sampled_from(["srgb", "p3"])),
    )


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(masters(), transforms(), st.tuples(SHARE, SHARE, SHARE, SHARE), st.booleans())
def test_every_picture_is_as_large_as_the_page_says(master, transform, box, from_base) -> None:
    data, upright = master
    scene = Scene(box[:2], (box,), box, {"hero": (2500, 2500, 5000, 3333)})
    expected = plan(*upright, transform, scene)
    header = read_header(data, LIMITS)
    base = Base(data, header, transform.profile) if from_base else None

    image, _ = render(data, header, transform, scene, base)

    assert (header.width, header.height) == upright
    assert (image.width, image.height) == (expected.width, expected.height)
    assert (image.format, image.interpretation) == ("uchar", "srgb")


def test_renditions_of_one_decode_look_like_those_of_their_own(photo) -> None:
    data = encoded(photo, "JPEG", quality=92)
    base = Base(data, read_header(data, LIMITS))

    for transform in (Transform(320), Transform(200, 200, "fill"), Transform(64)):
        alone, shared = drawn(data, transform), drawn(data, transform, base=base)
        assert np.abs(alone.astype(int) - shared).mean() < 3


def test_a_base_is_no_wider_than_the_ladder_and_enlarges_nothing() -> None:
    data = encoded(Image.new("RGB", (4801, 1000)), "JPEG")
    header = read_header(data, LIMITS)

    base = Base(data, header)

    assert (base.image.width, base.image.height) == (2400, 500)
    assert base.bytes_held == 2400 * 500 * 3
    assert drawn(data, Transform(3000), base=base).shape == (625, 3000, 3)


def test_display_p3_keeps_colours_that_srgb_cannot_hold() -> None:
    red = pyvips.Image.black(32, 32, bands=3) + [255, 0, 0]
    red = red.cast("uchar").copy(interpretation="srgb")
    data = red.icc_transform("p3", input_profile="p3").pngsave_buffer(profile="p3")

    wide, _ = render(data, read_header(data, LIMITS), Transform(16, profile="p3"))
    narrow, _ = render(data, read_header(data, LIMITS), Transform(16))

    assert tuple(wide(8, 8)) == (255, 0, 0)
    assert tuple(narrow(8, 8)) == (255, 0, 0)
    profile = ImageCms.ImageCmsProfile(io.BytesIO(wide.get("icc-profile-data")))
    assert "P3" in ImageCms.getProfileDescription(profile)
    plain = encoded(Image.new("RGB", (32, 32), (255, 0, 0)))
    mapped, _ = render(plain, read_header(plain, LIMITS), Transform(16, profile="p3"))
    assert mapped(8, 8)[0] < 240
    assert mapped(8, 8)[1] > 40


def test_sharpening_grows_with_the_reduction(photo) -> None:
    data = encoded(photo)

    def gain(width: int) -> float:
        plain = drawn(data, Transform(width)).astype(float)
        sharp = drawn(data, Transform(width, sharpen=80)).astype(float)
        return float(np.abs(sharp - plain).mean())

    assert gain(640) == 0.0
    assert 0 < gain(560) < gain(300)


def test_blur_looks_the_same_at_every_size(photo) -> None:
    data = encoded(photo)
    large = Image.fromarray(drawn(data, Transform(400, blur=20)))
    small = drawn(data, Transform(100, blur=20)).astype(float)

    shrunk = np.asarray(large.resize((100, small.shape[0]), Image.Resampling.LANCZOS))

    assert np.abs(shrunk - small).mean() < 2
    assert np.abs(drawn(data, Transform(100)) - small).mean() > 4


def test_padding_may_be_transparent() -> None:
    data = encoded(Image.new("RGB", (40, 20), "red"))

    pixels = drawn(data, Transform(40, 40, "pad", background="none"))

    assert tuple(pixels[0, 0]) == (0, 0, 0, 0)
    assert tuple(pixels[20, 20]) == (255, 0, 0, 255)


def test_the_cut_holds_the_face(photo) -> None:
    image = Image.new("RGB", (400, 100), "white")
    image.paste("blue", (300, 40, 320, 60))
    data = encoded(image)
    scene = Scene(faces=((0.75, 0.4, 0.05, 0.2),))

    pixels = drawn(data, Transform(50, 50, "fill", "faces"), scene)

    assert (pixels[:, :, 0] < 128).sum() == pytest.approx(100, abs=30)


@pytest.mark.parametrize("profile", [b"", b"\0" * 200, b"\xff" * 5000, b"acsp" * 64])
def test_a_broken_colour_profile_is_passed_over(photo, profile) -> None:
    data = encoded(photo.resize((60, 40)), "JPEG", icc_profile=profile)

    for name in ("srgb", "p3"):
        assert drawn(data, Transform(30, profile=name)).shape == (20, 30, 3)


@settings(max_examples=80, deadline=None)
@given(st.binary(max_size=300))
def test_broken_exif_never_hurts(garbage) -> None:
    data = encoded(Image.new("RGB", (30, 20)), "JPEG", exif=b"Exif\0\0" + garbage)

    try:
        header = read_header(data, LIMITS)
        image, todo = render(data, header, Transform(10))
    except SourceUnusable:
        return
    assert (image.width, image.height) == (todo.width, todo.height)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(["JPEG", "PNG", "WEBP", "AVIF"]),
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=6),
    st.floats(0, 1) | st.just(1.0),
)
def test_damaged_pictures_are_refused_or_drawn(small_pictures, kind, changes, kept) -> None:
    data = bytearray(small_pictures[kind])
    for place, value in changes:
        data[int(place * (len(data) - 1))] = value
    data = bytes(data[: int(kept * len(data))])

    try:
        header = read_header(data, LIMITS)
        image, todo = render(data, header, Transform(20, 20, "fill", "attention"))
    except SourceUnusable as refusal:
        assert refusal.reason in ("source-damaged", "source-too-large")
    else:
        assert (image.width, image.height) == (todo.width, todo.height)


@pytest.fixture(scope="module")
def small_pictures(photo) -> dict[str, bytes]:
    image = photo.resize((64, 48))
    return {kind: encoded(image, kind) for kind in ("JPEG", "PNG", "WEBP", "AVIF")}


@pytest.mark.parametrize("side", [(40_000, 10), (20_000, 20_000)])
def test_bombs_are_refused_before_they_are_decoded(side) -> None:
    image = pyvips.Image.black(*side).copy(interpretation="b-w")
    data = image.pngsave_buffer(compression=9, bitdepth=1)
    assert len(data) < 200_000

    with pytest.raises(SourceUnusable) as caught:
        read_header(data, LIMITS)

    assert caught.value.reason == "source-too-large"


def test_an_enlargement_has_a_limit() -> None:
    data = encoded(Image.new("RGB", (2, 400)))

    with pytest.raises(SourceUnusable) as caught:
        drawn(data, Transform(8192, upscale=True))

    assert caught.value.reason == "result-too-large"


@pytest.mark.parametrize("extension", ["jpg", "webp", "avif", "png"])
def test_display_p3_names_its_profile_and_srgb_needs_none(photo, extension) -> None:
    data = encoded(photo.resize((60, 40)), "JPEG")
    packet = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>"
    infos = []
    for profile in ("p3", "srgb"):
        image, _ = render(data, read_header(data, LIMITS), Transform(20, profile=profile))
        body = encode(image, extension, packet=packet)
        infos.append(Image.open(io.BytesIO(body)).info)

    assert b"P\x003" in infos[0]["icc_profile"] or b"P3" in infos[0]["icc_profile"]
    assert "icc_profile" not in infos[1]
