from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagepipe.urlspec import (
    COMPASS,
    KNOWN,
    MAX_DIMENSION,
    InvalidTransform,
    Transform,
    format_transform,
    parse_transform,
)

SIDES = st.integers(1, MAX_DIMENSION)
NAMES = st.from_regex(r"[a-z][a-z0-9]{0,5}(-[a-z0-9]{1,5})?", fullmatch=True)
PERCENT = st.none() | st.integers(1, 100)


@st.composite
def regions(draw: st.DrawFn) -> tuple[int, int, int, int]:
    left, top = draw(st.integers(0, 9900)), draw(st.integers(0, 9900))
    width, height = draw(st.integers(100, 10_000 - left)), draw(st.integers(100, 10_000 - top))
    region = (left, top, width, height)
    return region if region != (0, 0, 10_000, 10_000) else (0, 0, 9_999, 10_000)


@st.composite
def gravities(draw: st.DrawFn) -> str:
    known = draw(st.lists(st.sampled_from(KNOWN), unique=True))
    last = draw(st.sampled_from(["", "attention", *COMPASS]))
    if known and last == "center":
        last = ""
    return "-".join([*known, *filter(None, [last])]) or "center"


@st.composite
def transforms(draw: st.DrawFn) -> Transform:
    fit = draw(st.sampled_from(["fit", "fill", "pad", "crop"]))
    optional = st.none() | SIDES if fit == "fit" else SIDES
    width, height = draw(optional), draw(optional)
    places = {"fit": st.just("center"), "pad": st.sampled_from(COMPASS)}
    can_upscale = fit != "crop" and (width, height) != (None, None)
    return Transform(
        width=width,
        height=height,
        fit=fit,
        gravity=draw(places.get(fit, gravities())),
        crop=draw(st.none() | regions() | NAMES),
        quality=draw(PERCENT),
        background=draw(
            st.sampled_from([None, "none"])
            | st.text("0123456789abcdef", min_size=6, max_size=6)
        ),
        upscale=draw(st.booleans()) if can_upscale else False,
        blur=draw(PERCENT),
        sharpen=draw(PERCENT),
        profile=draw(st.sampled_from(["srgb", "p3"])),
        hinted=draw(st.booleans()) if width is not None else False,
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
        ("w_800,h_8,c_fill,g_faces-faces", "twice"),
        ("w_800,h_8,c_fill,g_north-faces", "gravity must be"),
        ("w_800,h_8,c_fill,g_faces-", "gravity must be"),
        ("w_800,blur_0", "blur"),
        ("w_800,sharp_101", "sharpen"),
        ("w_800,p_adobe", "profile"),
        ("w_800,d_5", "1 to 4"),
        ("w_800,d_1.25", "1 to 4"),
        ("w_800,d_2,d_2", "unknown option"),
        ("d_2", "needs a width"),
        ("w_8000,d_2", "width must be"),
        ("w_auto", "leading zero"),
        ("w_auto.0", "width must be"),
        ("r_-hero", "name"),
        ("r_hero.", "name"),
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


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("w_400,d_2", "w_800"),
        ("d_1.5,w_101,h_33,c_fill", "w_152,h_50,c_fill"),
        ("w_8,h_8,c_fill,g_faces-center", "w_8,h_8,c_fill,g_faces"),
        ("w_8,h_8,c_fill,g_faces-subject-focal-center", "w_8,h_8,c_fill,g_faces-subject-focal"),
        ("r_16x9,w_auto.640", "w_auto.640,r_16x9"),
        ("p_srgb,w_8", "w_8"),
    ],
)
def test_convenient_spellings_have_a_canonical_one(text: str, canonical: str) -> None:
    assert format_transform(parse_transform(text)) == canonical
    assert format_transform(parse_transform(canonical)) == canonical
