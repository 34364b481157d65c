"""What is refused: by whom, why, and without saying more."""

from __future__ import annotations

import shutil
import time
from dataclasses import replace

import pytest

from edge import app
from imagepipe.grants import (
    FeedDocument,
    feed_path,
    generate_signing_key,
    grant_path,
    master_path,
    seal,
)

ASSET = "0123456789abcdef0123456789abcdef"


def refusal(answer):
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert b"Traceback" not in answer.body
    return answer.status, answer.reason


@pytest.mark.parametrize("url", ["/", "/x", "/a/b/c", "/../../etc/passwd", "/\x00", "/é"])
def test_other_addresses(client, url):
    assert refusal(client.get(url)) == (404, "not-found")


def test_tampered_addresses(client, publisher, version):
    url = publisher.url(version)
    assert refusal(client.get(url.replace("w_320", "w_321"))) == (403, "bad-signature")
    assert refusal(client.get(url.replace("/k1/", "/k2/"))) == (403, "bad-signature")
    assert refusal(client.get(url[:5] + ("A" if url[5] != "A" else "B") + url[6:])) == (
        403,
        "bad-signature",
    )
    assert refusal(client.get(url, "POST")) == (405, "method")


def test_preview(client, publisher, version):
    end = int(client.clock.now) + 30
    url = publisher.url(version, expires=end)
    answer = client.get(url)
    assert answer.status == 200
    assert answer.headers["Cache-Control"] == "private, max-age=30"
    client.clock.now = end
    assert refusal(client.get(url)) == (403, "preview-expired")


def test_withdrawal_takes_effect_with_the_feed(client, publisher, version):
    url = publisher.url(version)
    assert client.get(url).status == 200
    publisher.publish(replace(version, state="withdrawn"), sequence=2)
    client.edge.follower.poll()
    assert refusal(client.get(url)) == (410, "withdrawn")
    assert not list((publisher.folder / "cache/pictures").glob("*/*/*"))


def test_withdrawal_while_the_picture_is_being_made(client, publisher, version, monkeypatch):
    real = app.encode

    def withdraw_first(*args):
        publisher.publish(replace(version, state="withdrawn"), sequence=2)
        client.edge.follower.poll()
        return real(*args)

    monkeypatch.setattr(app, "encode", withdraw_first)
    assert refusal(client.get(publisher.url(version))) == (410, "withdrawn")


def test_without_a_feed_grants_age(make_client, publisher, version):
    client = make_client(grant_age=0.05)
    url = publisher.url(version)
    assert client.get(url).status == 200
    publisher.publish(replace(version, state="withdrawn"), sequence=2, feed=False)
    time.sleep(0.06)
    assert refusal(client.get(url)) == (410, "withdrawn")


def test_a_damaged_feed_makes_grants_doubtful(client, publisher, version):
    url = publisher.url(version)
    assert client.get(url).status == 200
    publisher.publish(replace(version, state="withdrawn"), sequence=2, feed=False)
    publisher.write(feed_path(0), b"{}")
    client.edge.follower.poll()
    assert refusal(client.get(url)) == (410, "withdrawn")


def test_an_old_grant_is_refused_even_after_a_restart(make_client, publisher, version):
    client, url = make_client(), publisher.url(version)
    backup = (publisher.storage / grant_path(ASSET)).read_bytes()
    publisher.publish(replace(version, state="withdrawn"), sequence=2)
    client.edge.follower.poll()
    assert refusal(client.get(url)) == (410, "withdrawn")
    publisher.write(grant_path(ASSET), backup)
    (publisher.storage / feed_path(0)).unlink()
    client.edge.follower.poll()
    assert refusal(client.get(url)) == (503, "rolled-back-grant")
    assert refusal(make_client().get(url)) == (503, "rolled-back-grant")


def test_forged_grant(make_client, publisher, version):
    grant = publisher.publish(version)
    publisher.write(grant_path(ASSET), seal(grant.to_dict(), generate_signing_key(), "g1"))
    assert refusal(make_client().get(publisher.url(version))) == (503, "untrusted-grant")


def test_the_grant_of_another_asset(make_client, publisher, version):
    grant = replace(publisher.publish(version), asset="f" * 32)
    publisher.write(grant_path(ASSET), seal(grant.to_dict(), publisher.key, "g1"))
    assert refusal(make_client().get(publisher.url(version))) == (503, "untrusted-grant")


def test_forged_feed_changes_nothing(client, publisher, version):
    feed = FeedDocument(0).appended(ASSET, 99, 1)
    publisher.write(feed_path(0), seal(feed.to_dict(), generate_signing_key(), "g1"))
    client.edge.follower.poll()
    assert client.get(publisher.url(version)).status == 200


def test_rights(make_client, publisher, version):
    client = make_client(market_header="X-Market")
    url, now = publisher.url(version), int(client.clock.now)

    def republish(sequence, **values):
        publisher.publish(replace(version, **values), sequence=sequence)
        client.edge.follower.poll()

    republish(2, markets=("DE",))
    assert refusal(client.get(url)) == (451, "market")
    answer = client.get(url, x_market="de")
    assert (answer.status, answer.headers["Cache-Control"]) == (200, "private, max-age=3600")
    republish(3, valid_from=now + 50)
    assert refusal(client.get(url)) == (403, "not-yet")
    republish(4, channels=("print",))
    assert refusal(client.get(url)) == (403, "channel")
    republish(5, sha256="a" * 64)
    assert refusal(client.get(url)) == (404, "unknown-version")
    publisher.publish(version, sequence=6, valid_until=now - 1)
    client.edge.follower.poll()
    assert refusal(client.get(url)) == (503, "stale-grant")


def test_markets_are_not_taken_from_strangers(make_client, publisher, version):
    publisher.publish(replace(version, markets=("DE",)), sequence=2)
    answer = make_client().get(publisher.url(version), x_market="DE")
    assert refusal(answer) == (451, "market")


def test_unknown_asset(make_client, publisher, cat):
    version = publisher.master(cat)
    assert refusal(make_client().get(publisher.url(version))) == (404, "unknown-asset")


def test_truncated_master(client, publisher, version):
    name = master_path(version.sha256)
    publisher.write(name, (publisher.storage / name).read_bytes()[:-1000])
    assert refusal(client.get(publisher.url(version))) == (503, "damaged-master")


def test_a_master_that_is_damaged_later(client, publisher, version):
    assert client.get(publisher.url(version, "w_100")).status == 200
    name = master_path(version.sha256)
    data = bytearray((publisher.storage / name).read_bytes())
    data[len(data) // 2] ^= 1
    publisher.write(name, bytes(data))
    assert refusal(client.get(publisher.url(version, "w_101"))) == (503, "damaged-master")


def test_a_master_that_is_no_picture(make_client, publisher):
    version = publisher.store(b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/png", (9, 9))
    publisher.publish(version)
    url = publisher.url(version, extension="jpg")
    assert refusal(make_client().get(url)) == (500, "unusable-master")


def test_pixel_limit(make_client, publisher, version):
    url = publisher.url(version)
    assert refusal(make_client(max_pixels=1000).get(url)) == (422, "too-many-pixels")
    large = publisher.url(version, "w_8192,u_1", "jpg")
    assert refusal(make_client(max_pixels=451 * 300).get(large)) == (422, "too-many-pixels")


def test_storage_away(client, publisher, version):
    assert client.get(publisher.url(version)).status == 200
    shutil.move(publisher.storage, publisher.folder / "elsewhere")
    client.edge.follower.poll()
    # What is known and made is still shown; what is not, is not said to be missing.
    assert client.get(publisher.url(version)).status == 200
    assert refusal(client.get(publisher.url(version, "w_99"))) == (503, "storage-unavailable")
    assert client.get("/readyz").status == 503
    assert client.get("/healthz").status == 200


def test_failures_inside_say_nothing(client, publisher, version, monkeypatch):
    def fail(*args, **kwargs):
        raise RuntimeError("secret")

    monkeypatch.setattr("edge.app.encode", fail)
    answer = client.get(publisher.url(version))
    assert refusal(answer) == (500, "internal")
    assert b"secret" not in answer.body
