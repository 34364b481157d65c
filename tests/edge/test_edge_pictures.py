"""What is delivered: format, size, marking, headers."""

from __future__ import annotations

import io
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from edge import app
from imagepipe.credentials import parse_xmp, read_xmp, verify
from imagepipe.urlspec import parse_transform, plan

CHROME = "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "mime"),
    [
        (CHROME, "image/avif"),
        ("image/webp,*/*", "image/webp"),
        ("*/*", "image/jpeg"),
        ("", "image/jpeg"),
        ("image/avif;q=0,image/webp", "image/webp"),
    ],
)
def test_auto_follows_accept(client, publisher, version, accept, mime):
    answer = client.get(publisher.url(version), accept=accept)
    assert answer.status == 200
    assert answer.headers["Content-Type"] == mime
    assert answer.headers["Vary"] == "Accept"
    assert Image.MIME[answer.image.format] == mime
    assert answer.image.size == (320, 213)


@pytest.mark.parametrize("extension", ["jpg", "webp", "avif", "png"])
def test_every_format_is_marked_and_trusted(client, publisher, version, credentials, extension):
    answer = client.get(publisher.url(version, "w_320", extension))
    mime = answer.headers["Content-Type"]
    assert "Vary" not in answer.headers
    metadata = parse_xmp(read_xmp(answer.body, mime))
    assert (metadata.creator, metadata.alt) == ("Studio", "A cat")
    assert metadata.source_type == version.source_type
    report = verify(answer.body, mime, (credentials / "root.pem").read_bytes())
    assert report.state == "trusted"
    assert report.source_type == version.source_type
    assert len(report.chain) == 2
    assert report.actions[0] == "c2pa.created"
    assert "c2pa.resized" in report.actions
    flipped = bytearray(answer.body)
    places = {"png": len(flipped) // 2, "webp": answer.body.find(b"VP8 ") + 200}
    flipped[places.get(extension, -200)] ^= 1  # in the coded pixels
    assert verify(bytes(flipped), mime).state == "invalid"


def test_without_a_prepared_parent_the_master_is_the_parent(
    make_client, publisher, cat, credentials
):
    version = publisher.master(cat, parent=False)
    publisher.publish(version)
    answer = make_client().get(publisher.url(version, "w_320", "webp"))
    report = verify(answer.body, "image/webp", (credentials / "root.pem").read_bytes())
    assert (report.state, len(report.chain)) == ("trusted", 2)


def test_without_an_identity_pictures_carry_xmp_only(make_client, publisher, version):
    answer = make_client(identity=None).get(publisher.url(version, "w_320", "jpg"))
    assert verify(answer.body, "image/jpeg").state == "none"
    assert parse_xmp(read_xmp(answer.body, "image/jpeg")).title == "Cat"


@pytest.mark.parametrize(
    "text",
    [
        "full",
        "w_1",
        "w_200",
        "h_77",
        "w_900",
        "w_100,h_100,c_fill",
        "w_100,h_250,c_fill,g_focal",
        "w_123,h_77,c_fill,g_attention",
        "w_300,h_300,c_pad",
        "w_300,h_300,c_pad,b_ff0000",
        "w_150,h_90,c_crop,g_southeast",
        "w_500,u_1",
        "w_90,h_90,c_fill,r_1000.2000.5000.5000",
    ],
)
def test_sizes_are_those_of_the_plan(client, publisher, version, text):
    steps = plan(451, 300, parse_transform(text), version.focal)
    for extension in ("jpg", "png"):
        answer = client.get(publisher.url(version, text, extension))
        assert answer.status == 200, answer.body
        assert answer.image.size == (steps.width, steps.height)


def test_pixels_are_those_of_the_master(client, publisher, version, cat):
    pixels = np.asarray(client.get(publisher.url(version, "full", "png")).image)
    assert (pixels == np.asarray(cat)).all()


def test_a_turned_master_is_delivered_upright(make_client, publisher, cat):
    buffer, exif = io.BytesIO(), Image.Exif()
    exif[0x0112] = 6
    cat.transpose(Image.Transpose.ROTATE_90).save(buffer, "JPEG", quality=95, exif=exif)
    version = publisher.store(buffer.getvalue(), "image/jpeg", cat.size)
    publisher.publish(version)
    image = make_client().get(publisher.url(version, "w_200", "png")).image
    assert image.size == (200, 133)
    assert not image.getexif()
    expected = np.asarray(cat.resize((200, 133), Image.Resampling.LANCZOS)).astype(int)
    assert abs(np.asarray(image).astype(int) - expected).mean() < 4


def test_transparency_is_kept_or_flattened(make_client, publisher):
    version = publisher.master(Image.new("RGBA", (64, 64), (255, 0, 0, 0)))
    publisher.publish(version)
    client = make_client()
    answer = client.get(publisher.url(version, "w_32"), accept="*/*")
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.image.mode == "RGBA"
    flat = client.get(publisher.url(version, "w_32", "jpg")).image.convert("RGB")
    assert min(flat.getpixel((16, 16))) > 250
    blue = client.get(publisher.url(version, "w_32,b_0000ff", "png")).image.convert("RGB")
    assert blue.getpixel((16, 16)) == (0, 0, 255)


def test_headers(client, publisher, version):
    answer = client.get(publisher.url(version))
    assert answer.headers["Cache-Control"] == "public, max-age=3600"
    assert answer.headers["Surrogate-Key"] == (
        "asset-0123456789abcdef0123456789abcdef collection-1"
    )
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert int(answer.headers["Content-Length"]) == len(answer.body)
    head = client.get(publisher.url(version), "HEAD")
    assert (head.status, head.body) == (200, b"")
    assert head.headers == answer.headers


def test_etag(client, publisher, version):
    url = publisher.url(version)
    etag = client.get(url).headers["ETag"]
    assert etag.startswith('"')
    again = client.get(url, if_none_match=f'"other", {etag}')
    assert (again.status, again.body, again.headers["ETag"]) == (304, b"", etag)
    assert client.get(url, if_none_match='"other"').status == 200
    assert client.get(url, accept="image/webp").headers["ETag"] != etag


def test_never_cached_past_the_end_of_the_rights(make_client, publisher, version):
    client = make_client()
    end = int(client.clock.now) + 100
    publisher.publish(replace(version, valid_until=end), sequence=2)
    client.edge.follower.poll()
    answer = client.get(publisher.url(version))
    assert answer.headers["Cache-Control"] == "public, max-age=100"
    client.clock.now = end
    gone = client.get(publisher.url(version))
    assert (gone.status, gone.reason) == (410, "expired")


def test_the_old_address_shows_the_current_picture(make_client, publisher, version, cat):
    current = publisher.master(cat.rotate(180))
    publisher.publish(current, replace(version, state="superseded"), sequence=2)
    client = make_client()
    answer = client.get(publisher.url(version, "w_320", "png"))
    assert answer.headers["Cache-Control"] == "public, max-age=60"
    assert answer.body == client.get(publisher.url(current, "w_320", "png")).body


def test_concurrent_cold_requests_render_once(client, publisher, version, monkeypatch):
    renders, barrier, real = [], threading.Barrier(16), app.render.render

    def counted(*args, **kwargs):
        renders.append(1)
        return real(*args, **kwargs)

    monkeypatch.setattr(app.render, "render", counted)

    def ask(_number):
        barrier.wait()
        return client.get(publisher.url(version, "w_333", "jpg"))

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(ask, range(16)))
    assert {answer.status for answer in answers} == {200}
    assert len({answer.body for answer in answers}) == 1
    assert len(renders) == 1


def test_the_folder_outlives_the_process_and_torn_files_are_noticed(
    make_client, publisher, version, monkeypatch
):
    url = publisher.url(version, "w_320", "webp")
    first = make_client().get(url)
    [file] = list((publisher.folder / "cache/pictures").glob("*/*/*"))
    second = make_client()
    assert second.get(url).body == first.body
    file.write_bytes(file.read_bytes()[:-7])
    third = make_client().get(url)
    assert third.status == 200
    assert third.image.size == (320, 213)
