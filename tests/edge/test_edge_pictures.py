"""Answers to picture requests, through the WSGI callable."""

from __future__ import annotations

import io
import time

import numpy as np
import pytest
from PIL import Image

from imagepipe.credentials import parse_xmp, read_xmp, verify
from imagepipe.urlspec import Scene, parse_transform, plan

CHROME = "image/avif,image/webp,image/apng,image/*,*/*;q=0.8"


def encoded(image: Image.Image, kind: str = "JPEG", **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.fixture
def asset(delivery, master) -> str:
    return delivery.publish(delivery.version(master))


@pytest.mark.parametrize(
    "transform",
    [
        "full",
        "w_1",
        "w_333",
        "h_101",
        "w_2400",
        "w_700,u_1",
        "w_301,h_299",
        "w_160,h_90,c_fill",
        "w_160,h_90,c_fill,g_focal",
        "w_161,h_93,c_fill,g_attention",
        "w_1600,h_900,c_fill",
        "w_901,h_77,c_fill,u_1",
        "w_50,h_70,c_crop,g_southeast",
        "w_90,h_90,c_crop,g_attention",
        "w_200,h_200,c_pad,b_336699",
        "w_131,r_1234.2345.3456.4567",
        "w_100,h_100,c_fill,g_attention,r_1000.1000.8000.5000",
        "w_800,r_5000.5000.500.500,u_1",
    ],
)
def test_pixels_are_exactly_as_planned(delivery, get, master, photo, transform):
    version = delivery.version(master, focal=(0.7, 0.2), parent=False)
    asset = delivery.publish(version)
    expected = plan(*photo.size, parse_transform(transform), Scene((0.7, 0.2)))

    for extension in ("jpg", "webp", "avif", "png"):
        answer = get(delivery.url(asset, transform, extension))

        assert answer.status == 200, answer.body
        assert answer.image.size == (expected.width, expected.height)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_turned_masters_are_delivered_upright(delivery, get, orientation):
    upright = Image.new("RGB", (120, 80), "blue")
    upright.paste("red", (0, 0, 60, 40))
    undo = [None, None, 0, 3, 1, 5, 2, 6, 4][orientation]
    stored = upright if undo is None else upright.transpose(Image.Transpose(undo))
    exif = Image.Exif()
    exif[0x112] = orientation
    data = encoded(stored, quality=95, subsampling=0, exif=exif)
    asset = delivery.publish(delivery.version(data, upright=(120, 80)))

    image = get(delivery.url(asset, "w_60", "png")).image

    assert image.size == (60, 40)
    assert image.getpixel((10, 10))[0] > 200
    for point in ((50, 10), (10, 30), (50, 30)):
        assert image.getpixel(point)[2] > 200


def test_headers_of_a_picture(delivery, get, asset):
    answer = get(delivery.url(asset, "w_320", "auto"), accept=CHROME)

    headers = answer.headers
    assert headers["Content-Type"] == "image/avif"
    assert headers["Content-Length"] == str(len(answer.body))
    assert headers["Cache-Control"] == "public, max-age=3600, s-maxage=3600"
    assert headers["Vary"] == "Accept, Save-Data"
    assert headers["Surrogate-Key"] == f"asset-{asset} collection-1"
    assert headers["Cache-Tag"] == f"asset-{asset},collection-1"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"] == "default-src 'none'"
    assert headers["Access-Control-Allow-Origin"] == "*"
    assert headers["Server-Timing"].startswith("cache;desc=made")
    assert headers["ETag"].startswith('"')
    again = get(delivery.url(asset, "w_320", "auto"), accept=CHROME)
    assert again.headers["Server-Timing"].startswith("cache;desc=memory")
    assert again.body == answer.body


def test_a_named_format_does_not_vary(delivery, get, asset):
    answer = get(delivery.url(asset, "w_320", "webp"), accept="image/avif")

    assert answer.headers["Content-Type"] == "image/webp"
    assert "Vary" not in answer.headers


def test_head_has_the_headers_and_no_body(delivery, get, asset):
    url = delivery.url(asset)
    whole = get(url)

    answer = get(url, "HEAD")

    assert (answer.status, answer.body) == (200, b"")
    for name in ("Content-Length", "ETag", "Content-Type", "Cache-Control"):
        assert answer.headers[name] == whole.headers[name]


def test_conditional_requests(delivery, get, asset):
    url = delivery.url(asset)
    tag = get(url).headers["ETag"]

    for value in (tag, f'"x", {tag}', f"W/{tag}", "*"):
        answer = get(url, if_none_match=value)
        assert (answer.status, answer.body) == (304, b"")
        assert answer.headers["ETag"] == tag
        assert "Content-Length" not in answer.headers
    assert get(url, if_none_match='"other"').status == 200


def test_ranges(delivery, get, asset):
    url = delivery.url(asset)
    whole = get(url)
    size = len(whole.body)

    part = get(url, range="bytes=10-19")
    assert (part.status, part.body) == (206, whole.body[10:20])
    assert part.headers["Content-Range"] == f"bytes 10-19/{size}"
    assert get(url, range="bytes=-5").body == whole.body[-5:]
    assert get(url, range=f"bytes={size - 3}-").body == whole.body[-3:]
    assert get(url, range=f"bytes={size}-").status == 416
    assert get(url, range="bytes=0-1,4-5").body == whole.body
    assert get(url, range="bytes=0-1", if_range='"other"').body == whole.body
    assert get(url, range="bytes=0-1", if_range=whole.headers["ETag"]).status == 206


def test_lifetime_never_passes_the_end_of_the_rights(delivery, make_edge, master):
    now = int(time.time())
    asset = delivery.publish(delivery.version(master, valid_until=now + 100))
    get = make_edge(clock=lambda: now)

    answer = get(delivery.url(asset))

    assert answer.headers["Cache-Control"] == "public, max-age=100, s-maxage=100"


def test_a_superseded_version_shows_the_current_one_for_a_short_time(delivery, get, master):
    first = delivery.version(master)
    current = delivery.version(encoded(Image.new("RGB", (600, 300), "green")))
    asset = delivery.publish(first)
    old_url = delivery.url(asset)
    superseded = delivery.version(master, state="superseded")
    delivery.publish(current, superseded, asset=asset)

    answer = get(old_url)

    assert answer.status == 200
    assert answer.image.size == (320, 160)
    assert answer.headers["Cache-Control"] == "public, max-age=60, s-maxage=60"


def test_previews_are_private_and_short(delivery, make_edge, master):
    now = int(time.time())
    asset = delivery.publish(delivery.version(master, valid_from=now + 1000))
    get = make_edge(clock=lambda: now)

    assert get(delivery.url(asset)).status == 403
    answer = get(delivery.url(asset, expires=now + 30))

    assert answer.status == 200
    assert answer.headers["Cache-Control"] == "private, max-age=30"


def test_market_limited_pictures_stay_out_of_shared_caches(delivery, make_edge, master):
    asset = delivery.publish(delivery.version(master, markets=("DE",)))
    get = make_edge(market_header="X-Market")
    url = delivery.url(asset)

    assert get(url, x_market="de").headers["Cache-Control"] == "private, max-age=3600"
    assert get(url, x_market="FR").status == 451
    assert get(url).status == 451
    assert make_edge()(url, x_market="DE").status == 451


def test_the_licensed_fallback_stands_in(delivery, get, master):
    other = delivery.publish(delivery.version(encoded(Image.new("RGB", (640, 320), "red"))))
    version = delivery.version(master, state="withdrawn")
    asset = delivery.publish(version, fallback=other)

    answer = get(delivery.url(asset))

    assert answer.status == 200
    assert answer.image.size == (320, 214)
    assert "max-age=60" in answer.headers["Cache-Control"]
    assert f"asset-{asset}" in answer.headers["Surrogate-Key"]


@pytest.mark.parametrize(
    "transform",
    [
        "w_320", "h_100", "w_160,h_90,c_fill", "w_200,h_200,c_pad,b_000000",
        "w_120,h_90,c_crop", "w_300,r_1000.1000.5000.2500", "full",
    ],
)  # fmt: skip
def test_a_fallback_has_the_ratio_that_the_page_promised(
    delivery, get, master, photo, transform
):
    """Wide, tall and with pixels to spare: the box in the page does not move."""
    promised = plan(*photo.size, parse_transform(transform))
    for size in ((1800, 900), (900, 1800)):
        other = delivery.version(encoded(Image.new("RGB", size, "red")), parent=False)
        version = delivery.version(master, state="withdrawn", parent=False)
        asset = delivery.publish(version, fallback=delivery.publish(other))

        image = get(delivery.url(asset, transform, "png")).image

        assert image.size == (promised.width, promised.height)
        assert image.getpixel((image.width // 2, image.height // 2))[0] > 240


def test_a_small_fallback_keeps_the_ratio_and_is_not_enlarged(delivery, get, master):
    other = delivery.version(encoded(Image.new("RGB", (100, 100), "red")), parent=False)
    version = delivery.version(master, state="withdrawn", parent=False)
    asset = delivery.publish(version, fallback=delivery.publish(other))

    assert get(delivery.url(asset, "w_320", "png")).image.size == (100, 67)


def test_transparency(delivery, get):
    image = Image.new("RGBA", (200, 100), (255, 0, 0, 0))
    image.paste((0, 0, 255, 255), (0, 0, 100, 100))
    asset = delivery.publish(delivery.version(encoded(image, "PNG"), "image/png"))

    plain = get(delivery.url(asset, "w_100", "auto"), accept="*/*")
    assert plain.headers["Content-Type"] == "image/png"
    assert plain.image.getpixel((75, 25))[3] == 0
    flat = get(delivery.url(asset, "w_100", "jpg")).image.getpixel((90, 25))
    assert min(flat) > 245
    coloured = get(delivery.url(asset, "w_100,b_00ff00", "jpg")).image.getpixel((90, 25))
    assert coloured[1] > 245
    assert coloured[0] < 10
    webp = get(delivery.url(asset, "w_100", "webp")).image
    assert webp.mode == "RGBA"


def test_padding_is_the_background(delivery, get, asset):
    image = get(delivery.url(asset, "w_300,h_300,c_pad,b_ff0000", "png")).image

    assert image.getpixel((1, 1))[:3] == (255, 0, 0)
    assert image.getpixel((150, 150))[:3] != (255, 0, 0)


def test_gravity_and_focal_point_choose_what_stays(delivery, get):
    image = Image.new("RGB", (400, 100), "white")
    image.paste("red", (0, 0, 100, 100))
    image.paste("blue", (300, 0, 400, 100))
    data = encoded(image, quality=95)
    asset = delivery.publish(delivery.version(data, focal=(0.95, 0.5)))

    west = get(delivery.url(asset, "w_50,h_50,c_fill,g_west", "png")).image
    focal = get(delivery.url(asset, "w_50,h_50,c_fill,g_focal", "png")).image

    assert west.getpixel((25, 25))[0] > 240 > 20 > west.getpixel((25, 25))[2]
    assert focal.getpixel((25, 25))[2] > 240


@pytest.mark.parametrize(
    ("mode", "mime", "kind"),
    [
        ("L", "image/jpeg", "JPEG"),
        ("CMYK", "image/jpeg", "JPEG"),
        ("P", "image/png", "PNG"),
        ("LA", "image/png", "PNG"),
        ("1", "image/png", "PNG"),
        ("I;16", "image/png", "PNG"),
        ("RGB", "image/webp", "WEBP"),
        ("RGB", "image/avif", "AVIF"),
    ],
)
def test_every_kind_of_master_becomes_srgb(delivery, get, photo, mode, mime, kind):
    if mode == "I;16":
        grey = np.asarray(photo.convert("L"), dtype=np.uint16) * 257
        data = encoded(Image.fromarray(grey), kind)
    else:
        data = encoded(photo.convert(mode), kind)
    asset = delivery.publish(delivery.version(data, mime))
    # Pillow makes CMYK without a profile, libvips reads it with one.
    tolerance = 25 if mode == "CMYK" else 8
    reference = np.asarray(photo.convert("L").resize((160, 107)), dtype=float)

    for extension in ("jpg", "webp", "avif", "png"):
        image = get(delivery.url(asset, "w_160", extension)).image
        assert image.mode in ("RGB", "RGBA", "L", "LA")
        got = np.asarray(image.convert("RGB").convert("L"), dtype=float)
        assert got.shape == (plan(*photo.size, parse_transform("w_160")).height, 160)
        assert abs(got.mean() - reference.mean()) < tolerance


def test_a_colour_profile_is_applied_and_dropped(delivery, get):
    from edge.vips import pyvips

    pixels = np.zeros((64, 64, 3), np.uint8)
    pixels[:] = (200, 60, 40)
    srgb = pyvips.Image.new_from_array(pixels).copy(interpretation="srgb")
    wide = srgb.icc_transform("p3", input_profile="srgb").jpegsave_buffer(Q=95)
    asset = delivery.publish(delivery.version(wide))

    image = get(delivery.url(asset, "w_32", "png")).image

    assert "icc_profile" not in image.info
    assert np.abs(np.array(image.getpixel((16, 16))[:3]) - (200, 60, 40)).max() <= 4


def test_camera_and_position_are_removed_and_rights_are_written(delivery, get, photo):
    exif = Image.Exif()
    exif[0x010F] = "SecretCamera"
    exif.get_ifd(0x8825)[1] = "N"
    data = encoded(photo, exif=exif, comment=b"SecretComment", quality=92)
    credit = {"title": "Boats", "creator": "A. Person", "rights": "© A", "alt": "Boats"}
    asset = delivery.publish(delivery.version(data, credit=credit, source_type=""))

    for extension, mime in (
        ("jpg", "image/jpeg"),
        ("webp", "image/webp"),
        ("avif", "image/avif"),
        ("png", "image/png"),
    ):
        answer = get(delivery.url(asset, "w_200", extension))
        assert b"Secret" not in answer.body
        assert not dict(answer.image.getexif())
        metadata = parse_xmp(read_xmp(answer.body, mime))
        assert (metadata.creator, metadata.rights) == ("A. Person", "© A")


def test_without_an_identity_there_is_xmp_only(delivery, make_edge, master, caplog):
    asset = delivery.publish(delivery.version(master))
    get = make_edge(identity="")

    body = get(delivery.url(asset)).body

    assert verify(body, "image/jpeg").state == "none"
    assert read_xmp(body, "image/jpeg") is not None


@pytest.mark.parametrize("published", [True, False])
def test_the_chain_reaches_the_master(delivery, get, master, published):
    asset = delivery.publish(delivery.version(master, parent=published))
    root = (delivery.identities / "root.pem").read_bytes()

    url = delivery.url(asset, "w_99,h_88,c_fill")
    answer = get(url)
    sidecar = get(answer.sidecar_of(url)).body
    report = verify(answer.body, "image/jpeg", root, sidecar=sidecar)

    assert report.state == "trusted"
    assert [action for action in report.actions if "resized" in action]
    assert [action for action in report.actions if "cropped" in action]
    assert len(report.chain) == 2


def test_a_market_to_test_with_counts_before_the_header(delivery, make_edge, master):
    url = delivery.url(delivery.publish(delivery.version(master, markets=("DE",))))
    get = make_edge(market_header="X-Market", test_market="de")

    assert get(url, x_market="FR").headers["Cache-Control"].startswith("private")
    assert get(url).status == 200
    elsewhere = make_edge(market_header="X-Market", test_market="FR")
    assert elsewhere(url, x_market="DE").status == 451
