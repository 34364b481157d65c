from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagepipe.urlspec import (
    GRAVITIES,
    MAX_DIMENSION,
    InvalidTransform,
    Transform,
    format_transform,
    parse_transform,
)

SIDES = st.integers(1, MAX_DIMENSION)
COMPASS = [name for name in GRAVITIES if name not in ("focal", "attention")]


@st.composite
def regions(draw: st.DrawFn) -> tuple[int, int, int, int]:
    left, top = draw(st.integers(0, 9900)), draw(st.integers(0, 9900))
    width, height = draw(st.integers(100, 10_000 - left)), draw(st.integers(100, 10_000 - top))
    region = (left, top, width, height)
    return region if region != (0, 0, 10_000, 10_000) else (0, 0, 9_999, 10_000)


@st.composite
def transforms(draw: st.DrawFn) -> Transform:
    fit = draw(st.sampled_from(["fit", "fill", "pad", "crop"]))
    optional = st.none() | SIDES if fit == "fit" else SIDES
    width, height = draw(optional), draw(optional)
    names = {"fit": ["center"], "pad": COMPASS}.get(fit, list(GRAVITIES))
    can_upscale = fit != "crop" and (width, height) != (None, None)
    return Transform(
        width=width,
        height=height,
        fit=fit,
        gravity=draw(st.sampled_from(names)),
        crop=draw(st.none() | regions()),
        quality=draw(st.none() | st.integers(1, 100)),
        background=draw(st.none() | st.text("0123456789abcdef", min_size=6, max_size=6)),
        upscale=draw(st.booleans()) if can_upscale else False,
    )


@given(transforms())
def test_what_is_written_is_read_back(transform: Transform) -> None:
    assert parse_transform(format_transform(transform)) == transform


@given(transforms(), st.randoms())
def test_any_order_of_options_has_one_canonical_spelling(transform: Transform, random) -> None:
    canonical = format_transform(transform)
    parts = canonical.split(",")
    random.shuffle(parts)

    assert format_transform(parse_transform(",".join(parts))) == canonical


@given(st.text(max_size=60) | st.text("whcgrqbu_0123456789.,fil", max_size=60))
def test_any_text_is_read_or_refused_with_a_reason(text: str) -> None:
    try:
        transform = parse_transform(text)
    except InvalidTransform as error:
        assert error.reason
    else:
        assert parse_transform(format_transform(transform)) == transform


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "1 to 120"),
        ("w_800,w_900", "twice"),
        ("w_0800", "leading zero"),
        ("w_+800", "leading zero"),
        ("w_8_0", "leading zero"),
        ("w_\u0668\u0660\u0660", "leading zero"),
        ("w_0", "width must be"),
        ("w_8193", "width must be"),
        ("w_800,", "unknown option"),
        ("W_800", "unknown option"),
        ("w800", "unknown option"),
        ("zoom_2", "unknown option"),
        ("full,w_800", "unknown option"),
        ("c_fill,w_800", "needs a width and a height"),
        ("c_stretch,w_8,h_8", "fit must be"),
        ("w_800,g_north", "gravity needs"),
        ("w_800,h_8,c_pad,g_focal", "compass"),
        ("w_800,h_8,c_fill,g_up", "gravity must be"),
        ("w_800,q_0", "quality"),
        ("w_800,q_101", "quality"),
        ("w_800,b_FFFFFF", "background"),
        ("w_800,b_fff", "background"),
        ("w_800,u_0", "only the value 1"),
        ("u_1", "needs a size"),
        ("w_8,h_8,c_crop,u_1", "needs a size"),
        ("r_0.0.10000.10000", "whole picture"),
        ("r_1.0.10000.5000", "leaves the picture"),
        ("r_0.0.99.5000", "at least"),
        ("r_0.0.5000", "four"),
        ("w_" + "1" * 130, "characters"),
    ],
)
def test_refusals_say_why(text: str, reason: str) -> None:
    with pytest.raises(InvalidTransform, match=reason):
        parse_transform(text)
