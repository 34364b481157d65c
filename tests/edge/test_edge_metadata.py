"""What pictures tell besides their pixels, by the policy of the edge."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from edge.encode import MOST_OF_CAMERA
from imagepipe.credentials import SourceType, parse_xmp, read_xmp
from tests.edge.conftest import encoded
from tests.edge.test_edge_settling import settled

KINDS = {"jpg": "image/jpeg", "webp": "image/webp", "avif": "image/avif", "png": "image/png"}
POSITION, CAMERA, TAKEN, SPACE, TURNED = 0x8825, 0x010F, 0x9003, 0xA001, 0x0112


def photograph(photo, note: bytes = b"") -> bytes:
    """Taken lying on its side, at a known place, in Adobe RGB as its EXIF says."""
    exif = Image.Exif()
    exif[CAMERA], exif[TURNED] = "Harbour Optics", 6
    exif.get_ifd(POSITION).update({1: "N", 2: (53.0, 32.0, 0.0)})
    exif.get_ifd(0x8769).update({TAKEN: "2026:01:02 03:04:05", SPACE: 65535})
    if note:
        exif.get_ifd(0x8769)[0x9286] = note
    return encoded(photo.rotate(90, expand=True).resize((320, 214)), "PNG", exif=exif)


@pytest.fixture
def asset(delivery, photo):
    data = photograph(photo)
    version = delivery.version(data, "image/png", upright=(214, 320), parent=False)
    return delivery.publish(version)


@pytest.mark.parametrize("extension", KINDS)
@pytest.mark.parametrize("policy", ["marking", "rights", "all"])
def test_the_policy_says_what_stays(delivery, make_edge, asset, policy, extension):
    get = make_edge(metadata=policy, identity="")
    answer = get(delivery.url(asset, "w_100", extension))

    told = parse_xmp(read_xmp(answer.body, KINDS[extension]))
    assert told.source_type == SourceType.TRAINED_ALGORITHMIC_MEDIA and told.no_training
    assert (told.title, told.rights) == (("", "") if policy == "marking" else ("Harbour", "CC"))
    exif = answer.image.getexif()
    if policy != "all":
        assert not exif and b"Optics" not in answer.body
        return
    assert answer.image.size == (100, 150)
    assert exif[CAMERA] == "Harbour Optics" and exif.get(TURNED, 1) == 1
    assert exif.get_ifd(POSITION)[2] == (53.0, 32.0, 0.0)
    assert exif.get_ifd(0x8769)[TAKEN] == "2026:01:02 03:04:05"
    assert exif.get_ifd(0x8769).get(SPACE) != 65535


def test_another_policy_makes_other_pictures_at_once(delivery, make_edge, asset):
    url = delivery.url(asset, "w_100")
    bodies = [make_edge(metadata=policy)(url).body for policy in ("all", "rights", "marking")]

    assert [b"Optics" in body for body in bodies] == [True, False, False]
    assert [b"Harbour</rdf:li>" in body for body in bodies] == [True, True, False]


def test_settled_pictures_keep_to_the_policy(delivery, make_edge, asset):
    get = make_edge(metadata="all", settle="yes", identity="")
    assert get(url := delivery.url(asset, "w_64")).status == 200

    assert settled(get, url).image.getexif()[CAMERA] == "Harbour Optics"


def test_too_much_of_the_camera_is_left_out(delivery, make_edge, photo):
    data = photograph(photo, b"x" * (MOST_OF_CAMERA + 1))
    version = delivery.version(data, "image/png", upright=(214, 320), parent=False)
    url = delivery.url(delivery.publish(version), "w_100", "webp")

    answer = make_edge(metadata="all", identity="")(url)

    assert answer.status == 200 and len(answer.body) < 20_000
    assert not Image.open(io.BytesIO(answer.body)).getexif()
