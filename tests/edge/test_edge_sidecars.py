"""Content credentials beside small pictures: announced, bound to their bytes, and withdrawn."""

from __future__ import annotations

import hashlib
import json
import os
import time
from pathlib import Path

import pytest

from edge import sidecars
from edge.cache import CacheKey, MemoryCache, Picture
from edge.disk import OUTLIVED, DiskCache
from imagepipe.credentials import (
    CredentialSigner,
    SigningIdentity,
    parse_xmp,
    read_xmp,
    verify,
)
from tests.edge.conftest import CHROME, TRAINED, encoded
from tests.edge.test_edge_settling import settled

KEY = CacheKey("ab" * 16, "cd" * 8, "ef" * 32)
KINDS = {"avif": "image/avif", "webp": "image/webp", "jpg": "image/jpeg", "png": "image/png"}


@pytest.fixture
def asset(delivery, master) -> str:
    return delivery.publish(delivery.version(master))


@pytest.fixture
def root(delivery) -> bytes:
    return (delivery.identities / "root.pem").read_bytes()


@pytest.mark.parametrize("extension", KINDS)
def test_a_small_picture_has_its_credential_beside_it(
    delivery, make_edge, asset, root, extension
):
    get = make_edge(embed_from="10000000")
    url, mime = delivery.url(asset, "w_300", extension), KINDS[extension]

    answer = get(url)
    sidecar = get(answer.sidecar_of(url))

    assert (sidecar.status, sidecar.headers["Content-Type"]) == (200, "application/c2pa")
    report = verify(answer.body, mime, root, sidecar=sidecar.body)
    assert (report.state, report.source_type) == ("trusted", TRAINED)
    assert "c2pa.created" in report.actions
    assert len(report.chain) == 2
    assert verify(answer.body, mime).state == "none"
    assert parse_xmp(read_xmp(answer.body, mime)).source_type == TRAINED
    for place in (40, len(answer.body) // 2, len(answer.body) - 3):
        damaged = bytearray(answer.body)
        damaged[place] ^= 1
        assert verify(bytes(damaged), mime, root, sidecar=sidecar.body).state == "invalid"
    other = get(delivery.url(asset, "w_200", extension)).body
    assert verify(other, mime, root, sidecar=sidecar.body).state == "invalid"


def test_the_size_of_the_encoded_picture_decides(delivery, make_edge, asset, root):
    url = delivery.url(asset, "w_400", "webp")
    bare = len(make_edge(embed_from="10000000")(url).body)

    # Caches of their own: a picture by earlier settings would stand in at first.
    inside = make_edge(embed_from=str(bare), cache=str(delivery.root / "a"))(url)
    beside = make_edge(embed_from=str(bare + 1), cache=str(delivery.root / "b"))(url)

    assert "Link" not in inside.headers
    assert verify(inside.body, "image/webp", root).state == "trusted"
    assert bare < len(inside.body) <= bare + 10_240
    assert len(beside.body) == bare
    assert beside.headers["Link"]


@pytest.mark.parametrize("extension", KINDS)
def test_what_is_embedded_stays_short_and_a_long_history_goes_beside(
    delivery, make_edge, master, root, extension
):
    signer = CredentialSigner(SigningIdentity.load(delivery.identities / "cms"))
    edited = signer.sign_edited(
        master,
        "image/jpeg",
        signer.prepare_parent(master, "image/jpeg"),
        title="Harbour, repainted",
        generator="diffusers 0.42",
        model="tiny",
        recipe_sha256="cd" * 32,
        source_type=TRAINED,
    )
    get, mime = make_edge(embed_from="0"), KINDS[extension]
    bare = make_edge(identity="", cache=str(delivery.root / "bare"))
    urls = [
        delivery.url(delivery.publish(delivery.version(data)), "w_400", extension)
        for data in (master, edited)
    ]

    inside, beside = map(get, urls)

    assert "Link" not in inside.headers
    packet = len(read_xmp(inside.body, mime))
    assert len(inside.body) - len(bare(urls[0]).body) + packet <= 10_240
    assert len(beside.body) == len(bare(urls[1]).body)
    sidecar = get(beside.sidecar_of(urls[1])).body
    report = verify(beside.body, mime, root, sidecar=sidecar)
    assert report.state == "trusted"
    assert len(report.chain) == 3
    assert [step for step in report.actions if step in ("c2pa.created", "c2pa.edited")] == [
        "c2pa.created",
        "c2pa.edited",
    ]
    assert report.generation["recipe_sha256"] == "cd" * 32


def test_without_an_identity_nothing_is_announced(delivery, make_edge, asset):
    assert "Link" not in make_edge(identity="")(delivery.url(asset)).headers


def test_what_a_script_of_another_site_needs_to_check_a_picture(delivery, get, asset):
    url = delivery.url(asset)
    answer = get(url)
    where = answer.sidecar_of(url)
    sidecar = get(where)

    assert answer.headers["Access-Control-Expose-Headers"] == "Link"
    assert sidecar.headers["Access-Control-Allow-Origin"] == "*"
    assert sidecar.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert sidecar.headers["Cache-Control"] == answer.headers["Cache-Control"]
    assert sidecar.headers["Surrogate-Key"] == answer.headers["Surrogate-Key"]
    assert "Vary" not in sidecar.headers
    head = get(where, "HEAD")
    assert (head.status, head.body) == (200, b"")
    assert head.headers["Content-Length"] == str(len(sidecar.body))
    assert get(where, if_none_match=sidecar.headers["ETag"]).status == 304
    assert get(url, if_none_match=answer.headers["ETag"]).headers["Link"]
    part = get(where, range="bytes=8-15")
    assert (part.status, part.body) == (206, sidecar.body[8:16])
    assert get(where, "POST").status == 405
    assert get(where, query="a=1").status == 400
    assert get(where).headers["Server-Timing"] == "cache;desc=memory"


def test_whatever_was_negotiated_has_its_own(delivery, get, asset, root):
    url = delivery.url(asset, "w_auto.320", "auto")
    seen = set()
    for headers in ({"accept": CHROME}, {"accept": "image/webp"}, {}, {"width": "480"}):
        answer = get(url, **headers)
        where = answer.sidecar_of(url)
        mime = answer.headers["Content-Type"]
        # Whoever checks it sends other headers than the browser did.
        report = verify(answer.body, mime, root, sidecar=get(where, accept="*/*").body)
        assert report.state == "trusted"
        seen.add(where)
    assert len(seen) == 4


def test_first_and_settled_bytes_keep_their_own(delivery, make_edge, asset, root):
    url = delivery.url(asset, "w_320", "avif")
    get = make_edge(settle="yes")
    first = get(url)
    last = settled(get, url)
    other = make_edge(settle="yes")  # another process, with nothing in memory

    for answer in (first, last):
        sidecar = other(answer.sidecar_of(url)).body
        assert verify(answer.body, "image/avif", root, sidecar=sidecar).state == "trusted"
    assert first.headers["Link"] != last.headers["Link"]


def test_sidecars_are_never_made_for_who_asks(delivery, get, asset):
    url = delivery.url(asset)
    before = _files(delivery.cache)

    for name in ("40000000-1", "7fffffff-fff", "4abcdef0-12c"):
        answer = get(f"{url}.c2pa/{name}")
        assert (answer.status, json.loads(answer.body)["reason"]) == (404, "unknown-sidecar")
    for name in ("", "x", "4ABCDEF0-1", "../x", "4abcdef0-1/", "4abcdef0-1234567890"):
        assert get(f"{url}.c2pa/{name}").status in (403, 404)

    assert _files(delivery.cache) == before
    assert 'renders_total{format="jpg"}' not in get("/metrics").body.decode()


def test_a_sidecar_needs_the_signature_of_its_picture(delivery, get, asset):
    url = delivery.url(asset)
    where = get(url).sidecar_of(url)

    assert get(where.replace("w_320", "w_321")).status == 403
    other = delivery.url(delivery.publish(delivery.version(_other(delivery))))
    assert get(where.replace(url, other)).status == 404


def _other(delivery) -> bytes:
    from PIL import Image

    return encoded(Image.new("RGB", (500, 400), "navy"))


@pytest.mark.parametrize(
    ("change", "status"),
    [({"state": "withdrawn"}, 410), ({"markets": ("FR",)}, 451), ({"channels": ("tv",)}, 403)],
)
def test_the_grant_decides_over_both(delivery, get, asset, change, status):
    url = delivery.url(asset)
    where = get(url).sidecar_of(url)
    assert get(where).status == 200

    delivery.change(asset, **change)
    get.app.book.poll()

    assert (get(url).status, get(where).status) == (status, status)
    if status == 410:
        assert not _files(delivery.cache / "renditions")


def test_previews_and_limited_pictures_keep_theirs_to_themselves(delivery, make_edge, master):
    moment = [time.time()]
    get = make_edge(lambda: moment[0], market_header="X-Market")
    limited = delivery.url(delivery.publish(delivery.version(master, markets=("FR",))))
    where = get(limited, x_market="FR").sidecar_of(limited)

    assert get(where, x_market="FR").headers["Cache-Control"].startswith("private")
    assert get(where).status == 451
    draft = delivery.publish(delivery.version(master))
    preview = delivery.url(draft, expires=int(moment[0]) + 60)
    beside = get(preview).sidecar_of(preview)
    assert get(beside).headers["Cache-Control"].startswith("private")
    moment[0] += 61
    assert (get(preview).status, get(beside).status) == (403, 403)


def test_a_fallback_shows_its_own_credential(delivery, get, master, root):
    other = delivery.publish(delivery.version(_other(delivery)))
    asset = delivery.publish(delivery.version(master), fallback=other)
    delivery.publish(
        delivery.version(master, state="withdrawn"), asset=asset, fallback=other
    )
    url = delivery.url(asset)
    answer = get(url)

    sidecar = get(answer.sidecar_of(url))

    assert sidecar.headers["Cache-Control"] == "public, max-age=60, s-maxage=60"
    report = verify(answer.body, "image/jpeg", root, sidecar=sidecar.body)
    assert report.state == "trusted"


def test_with_a_full_disk_the_process_still_knows_its_sidecars(
    delivery, make_edge, asset, root, monkeypatch
):
    def full(*_args: object) -> None:
        raise OSError(28, "No space left on device")

    get = make_edge(settle="yes")
    monkeypatch.setattr("edge.disk.os.replace", full)
    url = delivery.url(asset, "w_200", "webp")
    answer = get(url)

    sidecar = get(answer.sidecar_of(url)).body

    assert verify(answer.body, "image/webp", root, sidecar=sidecar).state == "trusted"


def test_a_purge_takes_both_and_the_numbers_tell_where_credentials_are(
    delivery, make_edge, asset
):
    get = make_edge(embed_from="8000")
    small, large = delivery.url(asset, "w_100"), delivery.url(asset, "w_600")
    where = get(small).sidecar_of(small)
    size = len(get(where).body)
    get(large)
    text = get("/metrics").body.decode().splitlines()
    get.app.producer.memory.clear()
    get.app.producer.disk.purge(asset)
    get.app.hits.drop(asset)

    assert get(where).status == 404
    assert 'imagepipe_edge_signatures_total{outcome="sidecar"} 1.0' in text
    assert 'imagepipe_edge_signatures_total{outcome="embedded"} 1.0' in text
    assert f'imagepipe_edge_credential_bytes_total{{place="sidecar"}} {size}.0' in text
    assert f'imagepipe_edge_sent_bytes_total{{format="c2pa"}} {size}.0' in text


def test_memory_and_disk_count_sidecars(tmp_path: Path):
    memory, disk = MemoryCache(400), DiskCache(tmp_path, 1000)
    pictures = [Picture.of(bytes([n]) * 100, bytes([n]) * 100) for n in range(9)]
    keys = [CacheKey(KEY.asset, KEY.version, f"{n}" * 64) for n in range(9)]
    for n in range(3):
        memory.put(keys[n], pictures[n])

    assert memory.bytes_held == 400
    assert memory.find(KEY.asset, KEY.version, pictures[0].pair) is None
    assert memory.find(KEY.asset, KEY.version, pictures[2].pair) == pictures[2]
    memory.purge(KEY.asset)
    assert memory.bytes_held == 0
    assert memory.find(KEY.asset, KEY.version, pictures[2].pair) is None

    for n, picture in enumerate(pictures):
        disk.put(keys[n], picture)
        for file in tmp_path.rglob(f"*-{keys[n].digest[:40]}"):
            os.utime(file, (n, n))
    disk.tidy()
    found = [disk.get(key) is not None for key in keys]
    assert found == [disk.find(KEY.asset, KEY.version, p.pair) is not None for p in pictures]
    assert found == [False] * 6 + [True] * 3  # each takes 261 bytes


def test_a_sidecar_outlives_its_picture_for_a_while(tmp_path: Path, monkeypatch):
    disk, picture = DiskCache(tmp_path, 10**6), Picture.of(b"first", b"sidecar of first")
    disk.put(KEY, picture)
    disk.remove(KEY)

    disk.tidy()
    assert disk.find(KEY.asset, KEY.version, picture.pair) == picture
    now = time.time()
    monkeypatch.setattr("edge.disk.time.time", lambda: now + OUTLIVED + 5)
    disk.tidy()
    assert disk.find(KEY.asset, KEY.version, picture.pair) is None


def test_a_file_system_without_second_names_holds_sidecars_too(tmp_path: Path, monkeypatch):
    def refuse(*_args: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr("edge.disk.os.link", refuse)
    disk, picture = DiskCache(tmp_path, 10**6), Picture.of(b"picture", b"sidecar")

    assert disk.put(KEY, picture)

    assert disk.get(KEY) == disk.find(KEY.asset, KEY.version, picture.pair) == picture


@pytest.mark.parametrize("damage", ["cut", "flip", "length"])
def test_a_torn_pair_is_never_served(tmp_path: Path, damage: str):
    disk, picture = DiskCache(tmp_path, 10**6), Picture.of(b"p" * 900, b"s" * 500)
    disk.put(KEY, picture)
    assert disk.get(KEY) == picture
    for file in tmp_path.rglob("*-*"):
        data = bytearray(file.read_bytes())
        data[{"cut": -1, "flip": -9, "length": 60}[damage]] ^= 4
        file.write_bytes(data[:-3] if damage == "cut" else data)
        break  # both names are one file

    assert disk.get(KEY) is None
    assert disk.find(KEY.asset, KEY.version, picture.pair) is None


def test_addresses_of_sidecars():
    digest = hashlib.sha256(b"picture").hexdigest()
    pair = sidecars.pair_of(digest, 7)

    assert sidecars.split(f"/k1/s/w_1/a.b/c.auto.c2pa/{pair}") == ("/k1/s/w_1/a.b/c.auto", pair)
    assert sidecars.link("/k1/s/w_1/a.b/c.auto", pair) == (
        f'<c.auto.c2pa/{pair}>; rel="c2pa-manifest"'
    )
    for path in ("/k1/s/w_1/a.b/c.auto", "/c2pa/x", f"/a.bmp.c2pa/{pair}", ".c2pa/", "/"):
        assert sidecars.split(path) == (path, "")
    # A date that every file system can keep.
    for has_sidecar in (False, True):
        least, most = (sidecars.stamp_of(d * 64, has_sidecar=has_sidecar) for d in "0f")
        assert 2**30 <= least <= most < 2**31 and least % 2 == most % 2 == has_sidecar


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*-*") if path.is_file())
