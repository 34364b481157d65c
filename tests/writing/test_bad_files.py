"""Hostile and broken files on every way to write an image: refused, with a reason."""

from __future__ import annotations

import html
import io
import json
import struct
import zlib
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import TestCase
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from django.urls import reverse
from django.utils import translation
from PIL import Image
from wagtail.images import get_image_model
from wagtail.models import APIToken, Collection, UploadedFile

from imagepipe.assets.models import Asset, AssetVersion
from imagepipe.delivery.actions import PublishVersion
from tests.delivery.library import Library, png


@lru_cache(maxsize=1)
def enormous() -> bytes:
    """A whole PNG of 30,000×30,000 pixels, one bit each: a tenth of a megabyte."""
    side = 30_000

    def chunk(kind: bytes, body: bytes) -> bytes:
        check = zlib.crc32(kind + body)
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", check)

    squeeze = zlib.compressobj(9)
    row = bytes(1 + side // 8)
    pixels = b"".join(squeeze.compress(row * 1000) for _part in range(side // 1000))
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", pixels + squeeze.flush())
        + chunk(b"IEND", b"")
    )


@lru_cache(maxsize=1)
def truncated() -> bytes:
    file = io.BytesIO()
    Image.effect_noise((400, 300), 90).save(file, "JPEG")
    return file.getvalue()[: file.tell() // 2]


PAGE = b"<!DOCTYPE html><html><script>alert(1)</script></html>"
FILES: dict[str, tuple[str, Callable[[], bytes], str, str]] = {
    "page": ("page.jpg", lambda: PAGE, "not a photograph", "image/jpeg"),
    "truncated": ("half.jpg", truncated, "damaged or incomplete", "image/jpeg"),
    "enormous": ("big.png", enormous, "far too many pixels; at most 100 million", "image/png"),
    "empty": ("none.jpg", lambda: b"", "empty", "image/jpeg"),
    "drawing": ("drawing.png", lambda: b"<svg onload='x()'/>", "not a photograph", "image/png"),
    "text": ("text.webp", lambda: b"hello " * 99, "not a picture", "image/webp"),
}


@pytest.fixture
def root(db: None) -> Collection:
    return Collection.get_first_root_node() or Collection.add_root(name="Root")


@pytest.fixture
def editor(root: Collection) -> Any:
    return get_user_model().objects.create_superuser("ed", "ed@example.com", "x")


@pytest.fixture
def web(client: Any, editor: Any, settings: Any) -> Any:
    client.force_login(editor)
    _token, plain = APIToken.create_token(user=editor, name="test")
    client.bearer = {"HTTP_AUTHORIZATION": f"Bearer {plain}"}
    return client


@pytest.fixture
def published(library: Library, root: Collection) -> Asset:
    asset = library.asset(collection=root)
    library.do(PublishVersion(library.version(asset), None))
    asset.refresh_from_db()
    return asset


def add(web: Any, root: Collection, file: Any) -> tuple[int, str]:
    data = {"title": "Boat", "collection": root.pk, "file": file}
    response = web.post(reverse("wagtailimages:add"), data)
    return response.status_code, html.unescape(response.content.decode())


def add_multiple(web: Any, root: Collection, file: Any) -> tuple[int, str]:
    data = {"title": "Boat", "collection": root.pk, "files[]": file}
    response = web.post(reverse("wagtailimages:add_multiple"), data)
    answer = response.json()
    assert answer["success"] is False
    return response.status_code, answer["error_message"]


def chooser(web: Any, root: Collection, file: Any) -> tuple[int, str]:
    fields = {"title": "Boat", "collection": root.pk, "file": file}
    data = {f"image-chooser-upload-{name}": value for name, value in fields.items()}
    response = web.post(reverse("wagtailimages_chooser:create"), data)
    answer = response.json()
    assert answer["step"] == "reshow_creation_form"
    return response.status_code, html.unescape(answer["htmlFragment"])


def api_post(web: Any, root: Collection, file: Any) -> tuple[int, str]:
    url = reverse("wagtailapi_v3:create_image")
    response = web.post(url, {"title": "Boat", "file": file}, **web.bearer)
    return response.status_code, json.dumps(response.json(), ensure_ascii=False)


WAYS = {add: 200, add_multiple: 200, chooser: 200, api_post: 422}


def media_files(library: Library) -> list[Path]:
    return [path for path in library.media.rglob("*") if path.is_file()]


@pytest.mark.parametrize("kind", FILES)
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_it_is_refused_with_a_reason(
    library: Library, web: Any, root: Collection, way: Callable[..., Any], kind: str
) -> None:
    name, content, message, mime = FILES[kind]
    file = SimpleUploadedFile(name, content(), mime)
    with TestCase.captureOnCommitCallbacks(execute=True):
        status, text = way(web, root, file)
    assert status == WAYS[way]
    assert message in text
    assert "Traceback" not in text
    for model in (get_image_model(), Asset, AssetVersion, UploadedFile):
        assert not model.objects.exists(), model
    assert not media_files(library)
    assert not list(library.private.rglob("*"))


@pytest.mark.parametrize("kind", FILES)
def test_a_bad_replacement_changes_nothing(
    library: Library, web: Any, root: Collection, published: Asset, kind: str
) -> None:
    name, content, message, mime = FILES[kind]
    row = get_image_model().objects.values().get()
    files = {path: path.read_bytes() for path in media_files(library)}
    data = {"title": "New", "collection": root.pk}
    data["file"] = SimpleUploadedFile(name, content(), mime)
    url = reverse("wagtailimages:edit", args=(published.image_id,))
    with TestCase.captureOnCommitCallbacks(execute=True):
        response = web.post(url, data)
    assert response.status_code == 200
    assert message in html.unescape(response.content.decode())
    assert get_image_model().objects.values().get() == row
    now = {path: path.read_bytes() for path in media_files(library)}
    assert now.items() >= files.items()
    assert {path.parent.name for path in now.keys() - files.keys()} <= {"images"}, "thumbnails"
    assert published.versions.count() == 1


def test_the_api_changes_words_and_never_the_file(
    library: Library, web: Any, published: Asset
) -> None:
    url = reverse("wagtailapi_v3:update_image", args=(published.image_id,))
    name = published.image.file.name
    with TestCase.captureOnCommitCallbacks(execute=True):
        response = web.patch(
            url, {"title": "Quay"}, content_type="application/json", **web.bearer
        )
    assert response.status_code == 200, response.content
    asset = Asset.objects.get()
    assert (asset.title, asset.image.title, asset.versions.count()) == ("Quay", "Quay", 1)
    assert asset.image.file.name == name


@pytest.mark.parametrize("way", ["multipart", "name", "text"])
def test_a_file_that_is_patched_through_the_api_changes_nothing(
    library: Library, web: Any, published: Asset, way: str
) -> None:
    """Wagtail takes no file here; should it ever, it has to become a draft."""
    content = png()
    storage = published.image.file.storage
    other = storage.save("original_images/other.png", io.BytesIO(content))
    bodies = {
        "multipart": (
            encode_multipart(BOUNDARY, {"file": SimpleUploadedFile("x.png", content)}),
            MULTIPART_CONTENT,
        ),
        "name": (json.dumps({"file": other}), "application/json"),
        "text": (json.dumps({"file": "../../secret", "file_hash": "0"}), "application/json"),
    }
    body, kind = bodies[way]
    row = get_image_model().objects.values().get()
    url = reverse("wagtailapi_v3:update_image", args=(published.image_id,))
    with TestCase.captureOnCommitCallbacks(execute=True):
        response = web.generic("PATCH", url, body, content_type=kind, **web.bearer)
    assert response.status_code in (200, 400, 415, 422), response.content
    assert get_image_model().objects.values().get() == row
    assert published.versions.count() == 1


def test_reasons_can_be_translated(monkeypatch: pytest.MonkeyPatch) -> None:
    from imagepipe.assets import inspection

    seen: list[str] = []

    def note(message: str) -> str:
        seen.append(message)
        return translation.gettext(message)

    monkeypatch.setattr(inspection, "_", note)
    for _name, content, _message, _mime in FILES.values():
        with pytest.raises(inspection.UnusablePicture):
            inspection.inspect_picture(content())
    assert len(set(seen)) == 5
