"""Reading IIIF image requests and applying them, case by case from the specification."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.exceptions import BadRequest, Refusal
from edge.iiif.geometry import Bounds, apply, box_of, canonical, largest, output
from edge.iiif.information import media_type, rights_uri
from edge.iiif.syntax import parse, parse_region, parse_rotation, parse_size
from edge.iiif.tiles import TILE, is_listed, scale_factors, sizes, tile_factor
from imagepipe.urlspec import Box

#: The picture of the specification's examples.
WIDTH, HEIGHT = 300, 200
FREE = Bounds(4096, 4096 * 4096, enlarges=True)
PLAIN = Bounds(4096, 4096 * 4096)


@pytest.mark.parametrize(
    ("text", "box"),
    [
        ("full", (0, 0, 300, 200)),
        ("square", (50, 0, 200, 200)),
        ("125,15,120,140", (125, 15, 120, 140)),
        ("pct:41.6,7.5,40,70", (125, 15, 120, 140)),
        ("125,15,200,200", (125, 15, 175, 185)),
        ("pct:41.6,7.5,66.6,100", (125, 15, 175, 185)),
        ("0,0,300,200", (0, 0, 300, 200)),
        ("299,199,1,1", (299, 199, 1, 1)),
        ("pct:.5,0.50,50,50", (2, 1, 150, 100)),
    ],
)
def test_regions_as_in_the_examples(text: str, box: tuple[int, ...]) -> None:
    assert box_of(parse_region(text), WIDTH, HEIGHT) == box


@pytest.mark.parametrize(
    "text",
    [
        "", "FULL", "0,0,1", "0,0,1,1,1", "-1,0,5,5", "1.5,0,5,5", "+1,0,5,5", "0,0,5,5 ",
        "pct:", "pct:1,1,1", "pct:-1,0,5,5", "pct:1e1,0,5,5", "pct:1.,0,5,5", "٣,0,5,5",
        "1234567890,0,5,5", "square2", "pct:full",
        # No pixels, or entirely outside
        "0,0,0,5", "0,0,5,0", "300,0,5,5", "0,200,5,5", "pct:100,0,5,5", "pct:0,0,0.1,50",
    ],
)  # fmt: skip
def test_regions_that_are_refused(text: str) -> None:
    with pytest.raises(BadRequest) as refused:
        box_of(parse_region(text), WIDTH, HEIGHT)
    assert (refused.value.status, refused.value.reason) == (400, "region")


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("max", (300, 200)),
        ("150,", (150, 100)),
        (",150", (225, 150)),
        ("pct:50", (150, 100)),
        ("pct:33.3", (100, 67)),
        ("225,100", (225, 100)),
        ("!225,100", (150, 100)),
        ("!150,1000", (150, 100)),
        ("!5000,5000", (300, 200)),
        ("^!360,360", (360, 240)),
        ("^360,", (360, 240)),
        ("^,240", (360, 240)),
        ("^pct:120", (360, 240)),
        ("^360,360", (360, 360)),
        ("^150,", (150, 100)),
        ("^max", (4096, 2731)),
        ("1,1", (1, 1)),
    ],
)
def test_sizes_as_in_the_examples(text: str, size: tuple[int, int]) -> None:
    assert output(parse_size(text), Box(0, 0, WIDTH, HEIGHT), FREE) == size


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "size"), ("full", "size"), (",", "size"), ("!,", "size"), ("!5,", "size"),
        ("pct:", "size"), ("pct:-5", "size"), ("5", "size"), ("5,5,5", "size"),
        ("5.5,", "size"), ("^", "size"), ("!max", "size"), ("^^max", "size"), ("max^", "size"),
        ("0,", "size"), (",0", "size"), ("0,0", "size"), ("!0,5", "size"), ("pct:0", "size"),
        ("pct:0.01", "size"), ("301,", "size"), (",201", "size"), ("301,100", "size"),
        ("100,201", "size"), ("pct:101", "size"), ("pct:100.5", "size"), ("^9999,", "size"),
        ("^4096,4097", "size"),
        ("^301,", "upscaling"), ("^,201", "upscaling"), ("^pct:120", "upscaling"),
        ("^!301,301", "upscaling"), ("^max", "upscaling"), ("^301,100", "upscaling"),
    ],
)  # fmt: skip
def test_sizes_that_are_refused(text: str, reason: str) -> None:
    with pytest.raises(Refusal) as refused:
        output(parse_size(text), Box(0, 0, WIDTH, HEIGHT), PLAIN)
    assert refused.value.reason == reason
    assert refused.value.status == (501 if reason == "upscaling" else 400)


def test_what_needs_no_enlarging_is_answered_where_nothing_is_enlarged() -> None:
    box = Box(0, 0, WIDTH, HEIGHT)
    for text in ("^150,", "^pct:100", "^!200,200", "^300,200"):
        assert output(parse_size(text), box, PLAIN) <= (300, 200)


@pytest.mark.parametrize(
    ("bounds", "most"),
    [
        (Bounds(200, 10**9), (200, 133)),
        (Bounds(4096, 30_000), (212, 141)),
        (Bounds(512, 60_000), (300, 200)),
        (Bounds(512, 59_999), (299, 199)),
    ],
)
def test_max_keeps_to_the_limits(bounds: Bounds, most: tuple[int, int]) -> None:
    assert output(parse_size("max"), Box(0, 0, WIDTH, HEIGHT), bounds) == most


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("0", (0, False)), ("90", (90, False)), ("180.0", (180, False)), ("270", (270, False)),
        ("360", (0, False)), ("!0", (0, True)), ("!180", (180, True)), ("090", (90, False)),
    ],
)  # fmt: skip
def test_rotations(text: str, read: tuple[int, bool]) -> None:
    assert parse_rotation(text) == read


@pytest.mark.parametrize(
    "text", ["", "45", "22.5", "-90", "+90", "361", "450", "!!0", "0!", "ninety", "1e2", "!"]
)
def test_rotations_that_are_refused(text: str) -> None:
    with pytest.raises(BadRequest) as refused:
        parse_rotation(text)
    assert (refused.value.status, refused.value.reason) == (400, "rotation")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("native.jpg", "quality"), (".jpg", "quality"), ("default", "quality"),
        ("Default.jpg", "quality"), ("default.jpg.jpg", "quality"), ("default.", "format"),
        ("default.gif", "format"), ("default.tif", "format"), ("default.JPG", "format"),
        ("gray.jp2", "format"), ("bitonal.avif", "format"),
    ],
)  # fmt: skip
def test_names_that_are_refused(name: str, reason: str) -> None:
    with pytest.raises(BadRequest) as refused:
        parse("full", "max", "0", name)
    assert (refused.value.status, refused.value.reason) == (400, reason)


@pytest.mark.parametrize(
    ("asked", "spelt"),
    [
        ("full/max/0/default.jpg", "full/max/0/default.jpg"),
        ("full/300,/0/color.jpg", "full/max/0/default.jpg"),
        ("0,0,300,200/300,200/360/default.png", "full/max/0/default.png"),
        ("pct:0,0,50,50/75,/!90.0/gray.webp", "0,0,150,100/75,50/!90/gray.webp"),
        ("square/!50,50/0/bitonal.png", "50,0,200,200/50,50/0/bitonal.png"),
        ("full/^360,/0/default.jpg", "full/^360,240/0/default.jpg"),
        ("full/^max/0/default.jpg", "full/^max/0/default.jpg"),
        ("full/^4096,2731/0/default.jpg", "full/^max/0/default.jpg"),
    ],
)
def test_canonical_spelling(asked: str, spelt: str) -> None:
    request = parse(*asked.split("/"))
    cut = apply(request, WIDTH, HEIGHT, FREE)
    assert canonical(request, cut, WIDTH, HEIGHT, FREE) == spelt


sides = st.integers(1, 20_000)
regions = st.sampled_from(["full", "square"]) | st.builds(
    "{},{},{},{}".format, *[st.integers(0, 20_000)] * 4
)
asked_sizes = st.sampled_from(["max", "^max"]) | st.builds(
    "{}{}{},{}".format,
    st.sampled_from(["", "^"]),
    st.sampled_from(["", "!"]),
    st.integers(1, 6000) | st.just(""),
    st.integers(1, 6000) | st.just(""),
)


@settings(max_examples=40)
@given(sides, sides, regions, asked_sizes, st.booleans())
def test_the_canonical_spelling_asks_for_the_same(
    width: int, height: int, region: str, size: str, enlarges: bool
) -> None:
    bounds = Bounds(4096, 3_000_000, enlarges)
    try:
        request = parse(region, size, "0", "default.jpg")
        cut = apply(request, width, height, bounds)
    except Refusal as refusal:
        assert refusal.status in (400, 501)
        return
    box = cut.box
    assert 0 <= box.left < box.left + box.width <= width
    assert 0 <= box.top < box.top + box.height <= height
    assert min(cut.width, cut.height) >= 1 and bounds.hold(cut.width, cut.height)
    spelt = canonical(request, cut, width, height, bounds)
    again = parse(*spelt.split("/"))
    assert apply(again, width, height, bounds) == cut
    assert canonical(again, cut, width, height, bounds) == spelt


@settings(max_examples=40)
@given(sides, sides)
def test_every_listed_size_and_tile_may_be_asked_for(width: int, height: int) -> None:
    bounds = Bounds(4096, 4096 * 1024)
    for wide, high in sizes(width, height, bounds):
        request = parse("full", f"{wide},{high}", "0", "default.jpg")
        cut = apply(request, width, height, bounds)
        assert (cut.width, cut.height) == (wide, high)
        assert is_listed(cut, width, height, bounds)
    assert sizes(width, height, bounds)[-1] == largest(Box(0, 0, width, height), bounds)
    for factor in scale_factors(width, height):
        side = TILE * factor
        left, top = (width - 1) // side * side, (height - 1) // side * side
        box = left, top, min(side, width - left), min(side, height - top)
        scaled = -(-box[2] // factor), -(-box[3] // factor)
        text = ",".join(map(str, box)), ",".join(map(str, scaled))
        cut = apply(parse(*text, "0", "default.jpg"), width, height, bounds)
        assert is_listed(cut, width, height, bounds)


def test_what_is_no_tile() -> None:
    def factor(region: str, size: str) -> int | None:
        request = parse(region, size, "0", "default.jpg")
        return tile_factor(apply(request, 2000, 1500, PLAIN), 2000, 1500)

    assert scale_factors(2000, 1500) == [1, 2, 4]
    assert factor("512,0,512,512", "512,512") == 1
    assert factor("512,0,512,512", "max") == 1
    assert factor("1536,1024,464,476", "464,476") == 1
    assert factor("1024,1024,976,476", "488,238") == 2
    assert factor("512,0,512,512", "256,256") is None
    assert factor("513,0,512,512", "512,512") is None
    assert factor("512,0,511,512", "511,512") is None
    assert factor("512,0,512,512", "512,511") is None


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("", "application/ld+json"),
        ("*/*", "application/ld+json"),
        ("application/ld+json", "application/ld+json"),
        ("application/json", "application/json"),
        ("application/json;q=0.5, application/ld+json", "application/ld+json"),
        ("application/json, application/ld+json;q=0.5", "application/json"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", "application/json"),
    ],
)
def test_the_document_is_linked_data_unless_plain_json_is_preferred(
    accept: str, kind: str
) -> None:
    assert media_type(accept).partition(";")[0] == kind


@pytest.mark.parametrize(
    ("statement", "uri"),
    [
        ("https://creativecommons.org/licenses/by/4.0/", "http://creativecommons.org/licenses/by/4.0/"),
        ("https://creativecommons.org/licenses/by-nc-sa/3.0/de/deed.en", "http://creativecommons.org/licenses/by-nc-sa/3.0/de/"),
        ("http://creativecommons.org/publicdomain/zero/1.0", "http://creativecommons.org/publicdomain/zero/1.0/"),
        ("https://creativecommons.org/licenses/by/4.0/deed.de", "http://creativecommons.org/licenses/by/4.0/"),
        ("https://rightsstatements.org/page/InC-EDU/1.0/?language=en", "http://rightsstatements.org/vocab/InC-EDU/1.0/"),
        ("https://example.com/licence", ""),
        ("https://creativecommons.org.evil.example/licenses/by/4.0/", ""),
        ("javascript:alert(1)//creativecommons.org/licenses/by/4.0/", ""),
        ("", ""),
    ],
)  # fmt: skip
def test_rights_are_a_registered_uri_or_nothing(statement: str, uri: str) -> None:
    assert rights_uri(statement) == uri


def test_numbers_are_exact() -> None:
    assert parse_size("pct:33.333333333").share == Fraction("33.333333333")
