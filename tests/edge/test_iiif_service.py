"""Answers to IIIF requests: what the public validator looks at, rights, marking and limits."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from PIL import Image

from imagepipe.credentials import parse_xmp, read_xmp, verify
from tests.edge.conftest import Delivery, Get, encoded

SIDE = 1000
LEVEL2 = "http://iiif.io/api/image/3/level2.json"


def colour(column: int, row: int) -> tuple[int, int, int]:
    """Of one square of the chart; all are far from each other."""
    return 20 + 22 * column, 230 - 20 * row, (column * 67 + row * 41) % 200 + 20


@pytest.fixture(scope="module")
def chart() -> bytes:
    """Ten by ten squares of 100 pixels, as the validator's own picture has them."""
    image = Image.new("RGB", (SIDE, SIDE))
    for column in range(10):
        for row in range(10):
            left, top = 100 * column, 100 * row
            image.paste(colour(column, row), (left, top, left + 100, top + 100))
    return encoded(image, "PNG")


@pytest.fixture
def asset(delivery: Delivery, chart: bytes) -> str:
    return delivery.publish(delivery.version(chart, "image/png"), iiif=True)


@pytest.fixture
def ask(get: Get, asset: str) -> Callable[..., Any]:
    def ask(
        region: str = "full",
        size: str = "max",
        rotation: str = "0",
        name: str = "default.png",
        **headers: str,
    ) -> Any:
        path = f"/iiif/3/{asset}/{region}/{size}/{rotation}/{name}"
        return get(path, host="img.example", **headers)

    return ask


def shows(image: Image.Image, place: tuple[int, int], column: int, row: int) -> bool:
    seen = image.convert("RGB").getpixel(place)
    assert isinstance(seen, tuple)
    return all(abs(a - b) < 6 for a, b in zip(seen, colour(column, row), strict=True))


def test_information(get: Get, asset: str) -> None:
    answer = get(f"/iiif/3/{asset}/info.json", host="img.example:8443")

    told = json.loads(answer.body)
    assert next(iter(told)) == "@context"
    assert told == {
        "@context": "http://iiif.io/api/image/3/context.json",
        "id": f"http://img.example:8443/iiif/3/{asset}",
        "type": "ImageService3",
        "protocol": "http://iiif.io/api/image",
        "profile": "level2",
        "width": 1000,
        "height": 1000,
        "maxWidth": 4096,
        "maxArea": 4096 * 4096,
        "sizes": [{"width": n, "height": n} for n in (250, 500, 1000)],
        "tiles": [{"width": 512, "scaleFactors": [1, 2]}],
        "preferredFormats": ["webp", "jpg"],
        "extraFormats": ["webp"],
        "extraQualities": ["color", "gray", "bitonal"],
        "extraFeatures": ["canonicalLinkHeader", "mirroring", "profileLinkHeader"],
    }
    assert answer.headers["Content-Type"] == (
        'application/ld+json;profile="http://iiif.io/api/image/3/context.json"'
    )
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Vary"] == "Accept"
    assert answer.headers["Link"] == f'<{LEVEL2}>;rel="profile"'
    assert answer.headers["Surrogate-Key"] == f"asset-{asset} collection-1"
    again = get(f"/iiif/3/{asset}/info.json", host="x.example", if_none_match="*")
    assert again.status == 304
    plain = get(f"/iiif/3/{asset}/info.json", host="x.example", accept="application/json")
    assert plain.headers["Content-Type"] == "application/json"


def test_rights_are_told(delivery: Delivery, get: Get, chart: bytes) -> None:
    def told(**credit: str) -> Any:
        version = delivery.version(chart, "image/png", parent=False, credit=credit)
        asset = delivery.publish(version, iiif=True)
        return json.loads(get(f"/iiif/3/{asset}/info.json", host="x.example").body)

    free = told(web_statement="https://creativecommons.org/licenses/by/4.0/deed.en")
    own = told(web_statement="https://example.com/terms", rights="Ask Ada")

    assert free["rights"] == "http://creativecommons.org/licenses/by/4.0/"
    assert "rights" not in own
    assert own["seeAlso"] == [
        {
            "id": "https://example.com/terms",
            "type": "Text",
            "format": "text/html",
            "label": {"en": ["Ask Ada"]},
        }
    ]


def test_the_base_leads_to_the_information(get: Get, asset: str) -> None:
    for base in (f"/iiif/3/{asset}", f"/iiif/3/{asset}/"):
        answer = get(base, host="img.example")
        assert answer.status == 303
        assert answer.headers["Location"] == f"http://img.example/iiif/3/{asset}/info.json"
        assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_the_public_address_is_the_one_of_the_settings(
    make_edge: Callable[..., Get], asset: str
) -> None:
    get = make_edge(url="https://cdn.example/pictures/")

    told = json.loads(get(f"/iiif/3/{asset}/info.json", host="inner:8001").body)

    assert told["id"] == f"https://cdn.example/pictures/iiif/3/{asset}"


@pytest.mark.parametrize("host", ["a b", 'x"y', "a/b", "ex.com:999999", "<script>"])
def test_a_host_that_is_none_is_refused(get: Get, asset: str, host: str) -> None:
    answer = get(f"/iiif/3/{asset}/info.json", host=host)

    assert (answer.status, json.loads(answer.body)["reason"]) == (400, "host")


def test_regions_show_the_right_pixels(ask: Callable[..., Any]) -> None:
    for region, size, column, row in [
        ("313,613,74,74", (74, 74), 3, 6),
        ("pct:71,21,9,9", (90, 90), 7, 2),
        ("900,900,500,500", (100, 100), 9, 9),
        ("0,0,100,1000", (100, 1000), 0, 0),
    ]:
        answer = ask(region)
        assert (answer.status, answer.image.size) == (200, size)
        assert shows(answer.image, (50, 50), column, row)
    assert ask("square").image.size == (1000, 1000)


def test_sizes_have_exactly_the_size(ask: Callable[..., Any]) -> None:
    for size, expected in [
        ("max", (1000, 1000)), ("417,", (417, 417)), (",333", (333, 333)),
        ("pct:61", (610, 610)), ("701,355", (701, 355)), ("!430,700", (430, 430)),
        ("^500,", (500, 500)),
    ]:  # fmt: skip
        image = ask(size=size).image
        assert image.size == expected
        assert shows(image, (expected[0] * 65 // 100, expected[1] * 35 // 100), 6, 3)
    small = ask("400,800,100,100", "35,35").image
    assert small.size == (35, 35) and shows(small, (17, 17), 4, 8)
    thin = ask("0,0,1000,100", "500,7").image
    assert thin.size == (500, 7) and shows(thin, (275, 3), 5, 0)


def test_tiles_of_a_level_fit_together(ask: Callable[..., Any]) -> None:
    whole = Image.new("RGB", (1000, 1000))
    for left in (0, 512):
        for top in (0, 512):
            wide, high = min(512, 1000 - left), min(512, 1000 - top)
            tile = ask(f"{left},{top},{wide},{high}", f"{wide},{high}").image
            whole.paste(tile, (left, top))
    for column in range(10):
        for row in range(10):
            place = 100 * column + 50, 100 * row + 50
            assert shows(whole, place, column, row)
    assert shows(whole, (511, 511), 5, 5) and shows(whole, (512, 512), 5, 5)


def test_rotation_is_clockwise_after_mirroring(ask: Callable[..., Any]) -> None:
    corners = (30, 30), (970, 30)
    for rotation, first, second in [
        ("0", (0, 0), (9, 0)), ("90", (0, 9), (0, 0)), ("180", (9, 9), (0, 9)),
        ("270", (9, 0), (9, 9)), ("!0", (9, 0), (0, 0)), ("!90", (9, 9), (9, 0)),
    ]:  # fmt: skip
        image = ask(rotation=rotation).image
        assert shows(image, corners[0], *first) and shows(image, corners[1], *second)
    assert ask("0,0,200,100", rotation="90").image.size == (100, 200)


def test_qualities(ask: Callable[..., Any]) -> None:
    grey = ask(name="gray.png").image
    assert grey.mode == "L" and len(grey.getcolors()) > 20
    black_and_white = ask(name="bitonal.png").image
    assert {value for _count, value in black_and_white.convert("L").getcolors()} == {0, 255}
    assert ask(name="color.jpg").image.mode == "RGB"
    assert ask(name="gray.jpg").image.mode == "L"


def test_formats(ask: Callable[..., Any]) -> None:
    for extension, name in (("jpg", "JPEG"), ("png", "PNG"), ("webp", "WEBP")):
        answer = ask(size="300,", name=f"default.{extension}")
        assert answer.image.format == name
        assert answer.headers["Content-Type"] == f"image/{name.lower()}"


def test_transparency_is_kept_where_the_format_can(delivery: Delivery, get: Get) -> None:
    image = Image.new("RGBA", (600, 600), (255, 0, 0, 0))
    image.paste((0, 0, 255, 255), (0, 0, 300, 600))
    version = delivery.version(encoded(image, "PNG"), "image/png", parent=False)
    base = f"/iiif/3/{delivery.publish(version, iiif=True)}/full/300,/0"

    def pixel(name: str) -> Any:
        return get(f"{base}/{name}", host="x").image.getpixel((290, 10))

    assert pixel("default.png")[3] == pixel("default.webp")[3] == 0
    assert min(pixel("default.jpg")) > 250
    assert pixel("gray.jpg") > 250
    assert pixel("gray.png")[1] == 0
    assert pixel("bitonal.png") == 255


@pytest.mark.parametrize(
    ("rest", "status", "reason"),
    [
        ("full/max/0/default.gif", 400, "format"),
        ("full/max/0/nice.jpg", 400, "quality"),
        ("full/max/45/default.jpg", 400, "rotation"),
        ("full/full/0/default.jpg", 400, "size"),
        ("full/1001,/0/default.jpg", 400, "size"),
        ("full/pct:200/0/default.jpg", 400, "size"),
        ("full/!0,5/0/default.jpg", 400, "size"),
        ("full/^5000,/0/default.jpg", 400, "size"),
        ("full/^1001,/0/default.jpg", 501, "upscaling"),
        ("full/^max/0/default.jpg", 501, "upscaling"),
        ("1000,0,5,5/max/0/default.jpg", 400, "region"),
        ("frob/max/0/default.jpg", 400, "region"),
        ("full/max/0", 404, "invalid-address"),
        ("full/max/0/default.jpg/x", 404, "invalid-address"),
        ("info.xml", 404, "invalid-address"),
        ("full/max/0/default.jpg.c2pa/4aaaaaaa-1", 404, "unknown-sidecar"),
    ],
)
def test_refusals(get: Get, asset: str, rest: str, status: int, reason: str) -> None:
    answer = get(f"/iiif/3/{asset}/{rest}", host="x.example")

    assert (answer.status, json.loads(answer.body)["reason"]) == (status, reason)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_pictures_are_enlarged_where_the_settings_say_so(
    make_edge: Callable[..., Get], asset: str
) -> None:
    get = make_edge(iiif_upscale="yes", iiif_max_side="1600", iiif_max_area="4000000")
    base = f"/iiif/3/{asset}"

    told = json.loads(get(f"{base}/info.json", host="x").body)
    image = get(f"{base}/full/^max/0/default.jpg", host="x").image
    part = get(f"{base}/100,100,100,100/^,1200/0/default.png", host="x")

    assert "sizeUpscaling" in told["extraFeatures"] and told["maxWidth"] == 1600
    assert image.size == (1600, 1600)
    assert part.image.size == (1200, 1200) and shows(part.image, (600, 600), 1, 1)
    assert "/%5E1200,1200/0/" in part.headers["Link"]
    assert get(f"{base}/full/1001,/0/default.jpg", host="x").status == 400


def test_links(ask: Callable[..., Any], asset: str) -> None:
    links = ask("pct:0,0,50,50", "250,", "!90", "gray.png").headers["Link"].split(", ")

    assert links == [
        f'<http://img.example/iiif/3/{asset}/0,0,500,500/250,250/!90/gray.png>;rel="canonical"',
        f'<{LEVEL2}>;rel="profile"',
    ]


def test_head_conditional_and_range_requests(get: Get, ask: Callable[..., Any]) -> None:
    whole = ask(size="500,500")
    tag = whole.headers["ETag"]

    assert ask(size="500,500", if_none_match=tag).status == 304
    part = ask(size="500,500", range="bytes=0-9")
    assert (part.status, part.body) == (206, whole.body[:10])
    assert whole.headers["Cache-Control"] == "public, max-age=300, s-maxage=3600"


def kept(delivery: Delivery) -> int:
    return sum(path.is_file() for path in (delivery.cache / "iiif").rglob("*"))


def test_only_tiles_and_listed_sizes_are_kept(
    delivery: Delivery, ask: Callable[..., Any]
) -> None:
    def origin(parts: tuple[str, ...]) -> str:
        return ask(*parts).headers["Server-Timing"].partition(",")[0].partition("=")[2]

    listed: list[tuple[str, ...]] = [
        ("512,0,488,512", "488,512"), ("512,0,488,512", "max"), ("full", "500,500"),
        ("full", "!500,900"), ("full", "max"),
    ]  # fmt: skip
    for parts in listed:
        origin(parts)
        assert origin(parts) == "disk"
    before = kept(delivery)
    others: list[tuple[str, ...]] = [
        ("full", "501,"), ("1,0,512,512", "512,512"), ("square", "77,"),
        ("full", "500,500", "90"), ("full", "500,500", "!0"),
        ("full", "500,500", "0", "gray.png"), ("512,0,488,512", "400,"),
    ]  # fmt: skip
    for parts in others:
        assert [origin(parts), origin(parts)] == ["made", "made"]
    assert kept(delivery) == before > 0


def test_the_own_quota_is_kept(
    delivery: Delivery, make_edge: Callable[..., Get], asset: str
) -> None:
    get = make_edge(iiif_disk_bytes="20000")
    for size in ("max", "500,500", "250,250"):
        get(f"/iiif/3/{asset}/full/{size}/0/default.png", host="x")
    get.app._parts.iiif._workshop.disk.tidy()  # type: ignore[attr-defined]

    files = [path for path in (delivery.cache / "iiif").rglob("*") if path.is_file()]
    unique = {path.stat().st_ino: path.stat().st_size for path in files}
    assert sum(unique.values()) <= 20000


def test_a_visitor_who_has_too_many_made_waits(
    make_edge: Callable[..., Get], asset: str
) -> None:
    get = make_edge(iiif_rate="1", iiif_burst="3", client_header="X-Real-IP")

    def status(width: int, visitor: str = "192.0.2.1") -> int:
        address = f"/iiif/3/{asset}/0,0,90,90/{width},/0/default.jpg"
        return get(address, host="x", x_real_ip=visitor).status

    assert [status(n) for n in range(20, 25)] == [200, 200, 200, 429, 429]
    answer = get(f"/iiif/3/{asset}/0,0,9,9/5,/0/default.jpg", host="x", x_real_ip="192.0.2.1")
    assert json.loads(answer.body)["reason"] == "too-many-requests"
    assert int(answer.headers["Retry-After"]) >= 1
    assert status(30, "192.0.2.2") == 200
    # What is kept, documents and signed addresses cost nothing.
    assert get(f"/iiif/3/{asset}/info.json", host="x", x_real_ip="192.0.2.1").status == 200


def test_kept_pictures_do_not_count(make_edge: Callable[..., Get], asset: str) -> None:
    get = make_edge(iiif_rate="1", iiif_burst="1")
    address = f"/iiif/3/{asset}/full/250,250/0/default.jpg"

    assert [get(address, host="x").status for _ in range(4)] == [200] * 4
    assert get(f"/iiif/3/{asset}/full/251,/0/default.jpg", host="x").status == 429


def test_pictures_that_are_not_open_to_viewers_do_not_exist(
    delivery: Delivery, make_edge: Callable[..., Get], chart: bytes, asset: str
) -> None:
    get = make_edge()
    closed = delivery.publish(delivery.version(chart, "image/png", parent=False))
    paths = ("", "/info.json", "/full/max/0/default.jpg")
    strange = ("0" * 32, "A" * 32, "x", "..", "", f"{asset}x")

    answers = [get(f"/iiif/3/{closed}{path}", host="x") for path in paths]
    answers += [get(f"/iiif/3/{name}/info.json", host="x") for name in strange]
    off = make_edge(iiif="no")

    assert {answer.status for answer in answers} == {404}
    assert {json.loads(answer.body)["reason"] for answer in answers} == {"unknown-asset"}
    assert off(f"/iiif/3/{asset}/info.json", host="x").status == 404


def test_closing_takes_effect_at_once(delivery: Delivery, get: Get, asset: str) -> None:
    address = f"/iiif/3/{asset}/full/500,500/0/default.jpg"
    assert get(address, host="x").status == 200

    delivery.publish(*delivery.grants[asset].versions, asset=asset)

    assert get(address, host="x").status == 404
    assert get(delivery.url(asset)).status == 200


@pytest.mark.parametrize(
    ("values", "status", "reason"),
    [
        ({"state": "withdrawn"}, 410, "withdrawn"),
        ({"state": "superseded"}, 410, "withdrawn"),
        ({"valid_until": int(time.time()) - 5}, 410, "expired"),
        ({"valid_from": int(time.time()) + 86_400}, 403, "not-yet"),
        ({"markets": ("AT",)}, 451, "market"),
        ({"channels": ("print",)}, 403, "channel"),
    ],
)
def test_rights_hold_as_everywhere(
    delivery: Delivery,
    get: Get,
    chart: bytes,
    asset: str,
    values: dict[str, Any],
    status: int,
    reason: str,
) -> None:
    open_to_all = delivery.publish(delivery.version(chart, "image/png", parent=False))
    version = delivery.grants[asset].versions[0]
    first = get(f"/iiif/3/{asset}/full/500,500/0/default.jpg", host="x")
    delivery.publish(
        type(version)(**{**_fields(version), **values}),
        asset=asset, iiif=True, fallback=open_to_all,
    )  # fmt: skip

    assert first.status == 200
    for path in ("", "/info.json", "/full/500,500/0/default.jpg", "/0,0,7,7/max/0/gray.png"):
        answer = get(f"/iiif/3/{asset}{path}", host="x")
        assert (answer.status, json.loads(answer.body)["reason"]) == (status, reason)


def _fields(version: Any) -> dict[str, Any]:
    return {name: getattr(version, name) for name in version.__dataclass_fields__}


def test_a_limited_picture_is_for_its_market_and_no_shared_cache(
    delivery: Delivery, make_edge: Callable[..., Get], chart: bytes
) -> None:
    get = make_edge(market_header="X-Market")
    version = delivery.version(chart, "image/png", parent=False, markets=("AT",))
    base = f"/iiif/3/{delivery.publish(version, iiif=True)}"

    for path in ("", "/info.json", "/full/250,250/0/default.jpg"):
        answer = get(f"{base}{path}", host="x", x_market="at")
        assert answer.status in (200, 303)
        assert answer.headers["Cache-Control"] == "private, max-age=300"
        assert get(f"{base}{path}", host="x", x_market="de").status == 451


def test_the_end_of_the_rights_bounds_every_cache(
    delivery: Delivery, get: Get, chart: bytes
) -> None:
    end = int(time.time()) + 100
    version = delivery.version(chart, "image/png", parent=False, valid_until=end)
    asset = delivery.publish(version, iiif=True)

    for path in ("/info.json", "/full/250,250/0/default.jpg"):
        control = get(f"/iiif/3/{asset}{path}", host="x").headers["Cache-Control"]
        ages = [int(age) for age in re.findall(r"max-?age=([0-9]+)", control)]
        assert ages and max(ages) <= 100


def test_a_new_version_takes_the_place_of_the_old_one(
    delivery: Delivery, get: Get, asset: str
) -> None:
    other = encoded(Image.new("RGB", (700, 300), "navy"), "PNG")
    old = delivery.grants[asset].versions[0]
    get(f"/iiif/3/{asset}/full/500,500/0/default.jpg", host="x")
    delivery.publish(
        delivery.version(other, "image/png", parent=False),
        type(old)(**{**_fields(old), "state": "superseded"}),
        asset=asset, iiif=True,
    )  # fmt: skip

    told = json.loads(get(f"/iiif/3/{asset}/info.json", host="x").body)
    image = get(f"/iiif/3/{asset}/full/max/0/default.jpg", host="x").image

    assert (told["width"], told["height"]) == image.size == (700, 300)
    assert get(f"/iiif/3/{asset}/full/500,500/0/default.jpg", host="x").status == 400


def test_marking_is_inside_or_beside_what_is_kept(
    delivery: Delivery, get: Get, ask: Callable[..., Any], asset: str, identities: Path
) -> None:
    anchors = (identities / "root.pem").read_bytes()
    for parts in (("full", "250,250", "0"), ("5,5,200,200", "max", "90")):
        answer = ask(*parts, "default.jpg")
        packet = read_xmp(answer.body, "image/jpeg")
        assert packet is not None and parse_xmp(packet).title == "Harbour"
        beside = re.search(r'<([^<>]+)>; rel="c2pa-manifest"', answer.headers["Link"])
        sidecar = None
        if beside is not None:
            address = f"http://img.example/iiif/3/{asset}/full/250,250/0/default.jpg"
            sidecar = get(urlsplit(urljoin(address, beside[1])).path, host="img.example").body
        report = verify(answer.body, "image/jpeg", anchors, sidecar=sidecar)
        assert report.state == "trusted"
        assert (beside is not None) == (parts[0] == "full")
    assert "c2pa.orientation" in report.actions


def test_the_limits_of_embedding_are_part_of_the_key(
    delivery: Delivery, make_edge: Callable[..., Get], asset: str
) -> None:
    url = f"/iiif/3/{asset}/full/250,250/0/default.jpg"
    links = [
        make_edge(embed_from="0", embed_most=most)(url, host="x").headers["Link"]
        for most in ("100000", "100", "100000")
    ]

    assert ["c2pa-manifest" in link for link in links] == [False, True, False]


def test_purges_reach_tiles(
    delivery: Delivery, get: Get, ask: Callable[..., Any], asset: str
) -> None:
    ask("512,0,488,512", "488,512")
    assert kept(delivery) > 0

    delivery.change(asset, state="withdrawn")
    get.app.follower.poll()  # type: ignore[attr-defined]

    assert kept(delivery) == 0


def test_a_real_server_reads_encoded_addresses(
    delivery: Delivery, start_server: Callable[..., Any], chart: bytes
) -> None:
    asset = delivery.publish(delivery.version(chart, "image/png", parent=False), iiif=True)
    server = start_server()

    answer = server.get(f"/iiif/3/{asset}/pct%3A0%2C0%2C50%2C50/%21200%2C100/0/default.jpg")
    told = json.loads(server.get(f"/iiif/3/{asset}/info.json").body)
    slash = server.get(f"/iiif/3/a%2F{asset}/info.json")

    assert (answer.status, answer.image.size) == (200, (100, 100))
    assert told["id"] == f"http://127.0.0.1:{server.port}/iiif/3/{asset}"
    assert slash.status == 404
    assert server.get(f"/iiif/3/{asset}").status == 200  # followed to info.json
