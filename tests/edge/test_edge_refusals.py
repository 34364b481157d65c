"""What is refused, how, and that nothing is told that should not be."""

from __future__ import annotations

import dataclasses
import io
import json
import os
import struct
import time
import zlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from imagepipe.grants import generate_signing_key, grant_path, master_path, seal


@pytest.fixture
def asset(delivery, master) -> str:
    return delivery.publish(delivery.version(master))


def assert_refused(answer, status: int, reason: str) -> dict:
    document = json.loads(answer.body)
    assert (answer.status, document["reason"]) == (status, reason)
    assert set(document) == {"type", "title", "status", "reason", "detail"}
    assert document["status"] == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "ETag" not in answer.headers
    assert "Traceback" not in answer.body.decode()
    return document


def test_tampered_and_forged_addresses(delivery, get, asset):
    url = delivery.url(asset, "w_320")
    _, kid, signature, rest = url.split("/", 3)

    assert_refused(get(url.replace("w_320", "w_321")), 403, "bad-signature")
    assert_refused(get(f"/k9/{signature}/{rest}"), 403, "bad-signature")
    assert_refused(get(f"/{kid}/{'A' * 43}/{rest}"), 403, "bad-signature")
    assert_refused(get(f"/{kid}/{signature[:-1]}/{rest}"), 404, "invalid-address")
    assert_refused(get("/"), 404, "invalid-address")
    assert_refused(get("/../../etc/passwd"), 404, "invalid-address")
    assert_refused(get(url, query="a=1"), 400, "query")
    answer = get(url, "POST")
    assert_refused(answer, 405, "method")
    assert answer.headers["Allow"] == "GET, HEAD"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(path=st.text(max_size=200).map(lambda text: "/" + text))
def test_any_path_gets_a_calm_answer(get, path):
    answer = get(path)

    if path not in ("/healthz", "/readyz", "/metrics"):
        assert answer.status in (403, 404)
        assert_refused(answer, answer.status, json.loads(answer.body)["reason"])


def test_an_ended_preview(delivery, get, asset):
    url = delivery.url(asset, expires=int(time.time()) - 1)

    assert_refused(get(url), 403, "preview-ended")


def test_unknown_asset_and_version(delivery, get, asset, master):
    other = delivery.version(master + b"\0", parent=False)
    unknown = delivery.url(asset)
    (delivery.storage / grant_path(asset)).unlink()
    assert_refused(get(unknown), 404, "unknown-asset")
    delivery.publish(other, asset=asset)
    assert_refused(get(unknown), 404, "unknown-version")


@pytest.mark.parametrize(
    ("change", "status", "reason"),
    [
        ({"state": "withdrawn"}, 410, "withdrawn"),
        ({"valid_until": 1_000}, 410, "expired"),
        ({"valid_from": 99_999_999_999}, 403, "not-yet"),
        ({"markets": ("DE",)}, 451, "market"),
        ({"channels": ("print",)}, 403, "channel"),
    ],
)
def test_what_the_grant_says_also_counts_for_cached_pictures(
    delivery, get, asset, change, status, reason
):
    url = delivery.url(asset)
    assert get(url).status == 200

    delivery.change(asset, **change)

    assert_refused(get(url), status, reason)
    assert_refused(get(url, if_none_match="*"), status, reason)


def test_a_withdrawn_picture_leaves_the_caches(delivery, get, asset):
    get(delivery.url(asset))
    folder = delivery.cache / "renditions" / asset[:2] / asset
    assert len(list(folder.iterdir())) == 2  # the picture, and its sidecar's name for it

    delivery.change(asset, state="withdrawn")
    get.app.book.poll()

    assert list(folder.iterdir()) == []


def test_a_stale_grant_after_the_grace(delivery, make_edge, master):
    now = int(time.time())
    asset = delivery.publish(delivery.version(master), valid_until=now + 10)
    moment = [now]
    get = make_edge(clock=lambda: moment[0], grace="60")

    moment[0] = now + 69
    assert get(delivery.url(asset)).status == 200
    moment[0] = now + 70
    answer = get(delivery.url(asset))
    assert_refused(answer, 503, "stale-grant")
    assert answer.headers["Retry-After"] == "10"


def test_forged_swapped_and_broken_grants(delivery, get, asset, master):
    url = delivery.url(asset)
    grant = delivery.grants[asset]
    path = grant_path(asset)
    other = delivery.publish(delivery.version(master))

    def put(data: bytes) -> None:
        delivery.write(path, data)

    put(seal(grant.to_dict(), generate_signing_key(), "g1"))
    assert_refused(get(url), 503, "grant-unreadable")
    put(seal(delivery.grants[other].to_dict(), delivery.grant_key, "g1"))
    assert_refused(get(url), 503, "grant-unreadable")
    put(b"{")
    assert_refused(get(url), 503, "grant-unreadable")
    put(b" " * 3_000_000)
    assert_refused(get(url), 503, "grant-unreadable")
    newer = dataclasses.replace(grant, sequence=grant.sequence + 5)
    delivery.write_grant(newer)
    assert get(url).status == 200
    delivery.write_grant(grant)
    assert_refused(get(url), 503, "rolled-back-grant")
    delivery.write_grant(newer)
    assert get(url).status == 200


def test_a_grant_older_than_the_feed_says_is_refused(delivery, get, asset):
    url = delivery.url(asset)
    assert get(url).status == 200
    delivery.write_feed(dataclasses.replace(delivery.grants[asset], sequence=9))

    get.app.book.poll()

    assert_refused(get(url), 503, "rolled-back-grant")


def test_a_grant_that_is_a_link_is_not_followed(delivery, get, asset, tmp_path):
    file = delivery.storage / grant_path(asset)
    os.replace(file, tmp_path / "elsewhere")
    file.symlink_to(tmp_path / "elsewhere")

    assert_refused(get(delivery.url(asset)), 503, "grant-unreadable")


def test_masters_that_changed_after_publication(delivery, get, asset):
    version = delivery.grants[asset].versions[0]
    file = delivery.storage / master_path(version.sha256)
    data = file.read_bytes()

    file.write_bytes(data[:-1])
    assert_refused(get(delivery.url(asset)), 502, "source-damaged")
    file.write_bytes(data[:-1] + b"\0")
    assert_refused(get(delivery.url(asset)), 502, "source-damaged")
    file.unlink()
    assert_refused(get(delivery.url(asset)), 503, "source-missing")
    file.write_bytes(data)
    assert get(delivery.url(asset)).status == 200


def bomb_png(side: int) -> bytes:
    """A PNG that claims to be huge."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data))
            + kind
            + data
            + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
    return b"\x89PNG\r\n\x1a\n" + body + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("data", "mime", "status", "reason"),
    [
        (b"<html><script>alert(1)</script></html>", "image/jpeg", 502, "source-damaged"),
        (b"GIF89a\x01\x00\x01\x00\x00\x00\x00;", "image/png", 502, "source-damaged"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/png", 502, "source-damaged"),
        (b"%PDF-1.4", "image/png", 502, "source-damaged"),
        (bomb_png(30_000), "image/png", 422, "source-too-large"),
    ],
)
def test_masters_that_are_no_pictures(delivery, get, data, mime, status, reason):
    version = delivery.version(data, mime, upright=(100, 100), parent=False)
    asset = delivery.publish(version)

    for extension in ("jpg", "auto"):
        assert_refused(get(delivery.url(asset, "w_50", extension)), status, reason)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_truncated_master_gives_no_half_picture(delivery, get, photo, kind):
    buffer = io.BytesIO()
    photo.save(buffer, kind)
    data = buffer.getvalue()[: len(buffer.getvalue()) // 2]
    mime = f"image/{kind.lower()}"
    asset = delivery.publish(delivery.version(data, mime, upright=photo.size, parent=False))

    assert_refused(get(delivery.url(asset)), 502, "source-damaged")


def test_a_master_of_another_type_than_granted(delivery, get, master):
    asset = delivery.publish(delivery.version(master, "image/jpeg", parent=False))
    delivery.change(asset, mime="image/png")

    assert_refused(get(delivery.url(asset)), 502, "source-damaged")


def test_limits_of_masters(delivery, make_edge, master):
    asset = delivery.publish(delivery.version(master))
    url = delivery.url(asset)

    for limit in ({"max_source_bytes": "1000"}, {"max_source_pixels": "1000"}):
        assert_refused(make_edge(**limit)(url), 422, "source-too-large")
    assert_refused(make_edge(max_source_side="600")(url), 422, "source-too-large")


def test_an_unexpected_error_is_not_told(delivery, get, asset, monkeypatch):
    def explode(*args: object) -> None:
        raise RuntimeError("secret path /srv/keys")

    monkeypatch.setattr(get.app.producer, "get", explode)

    assert "secret" not in json.dumps(assert_refused(get(delivery.url(asset)), 500, "internal"))


def test_a_tiny_picture_is_no_problem(delivery, get):
    buffer = io.BytesIO()
    Image.new("RGB", (1, 1), "red").save(buffer, "JPEG")
    asset = delivery.publish(delivery.version(buffer.getvalue()))

    for extension in ("jpg", "webp", "avif", "png"):
        answer = get(delivery.url(asset, "w_320", extension))
        assert answer.status == 200
        assert answer.image.size == (1, 1)


def test_a_size_that_a_format_cannot_hold(delivery, get):
    buffer = io.BytesIO()
    Image.new("RGB", (20_000, 2), "red").save(buffer, "JPEG")
    asset = delivery.publish(delivery.version(buffer.getvalue()))

    assert_refused(get(delivery.url(asset, "full", "webp")), 422, "not-encodable")
    assert get(delivery.url(asset, "full", "jpg")).image.size == (20_000, 2)


def test_a_withdrawal_while_the_picture_is_made_counts(delivery, get, asset, monkeypatch):
    producer = get.app.producer
    make = producer.get

    def slowly(job, visitor):
        result = make(job, visitor)
        delivery.change(asset, state="withdrawn")
        return result

    monkeypatch.setattr(producer, "get", slowly)

    assert_refused(get(delivery.url(asset)), 410, "withdrawn")
