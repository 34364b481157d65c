"""The doors: everything that a visitor could ask for, and what it answers."""

from __future__ import annotations

import dataclasses
import json
import re
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.http import HttpResponseBase
from django.template import Context, Template
from django.test import Client
from django.urls import reverse
from wagtail.images import get_image_model
from wagtail.images.views.serve import generate_image_url
from wagtail.rich_text import expand_db_html

from imagepipe.provenance.keys import load_keyring
from imagepipe.urlspec import ImagePath, Keyring, parse_transform, sign_path
from tests.doors.exhibits import SPECS, Exhibit, guessed_names


@dataclasses.dataclass(frozen=True)
class Answer:
    url: str
    status: int
    body: bytes


Visit = Iterator[Answer]


class Visitor:
    """Somebody with a browser, who is nobody to the CMS."""

    def __init__(self, edge: str, media: Path, published: list[str]) -> None:
        self.edge, self.media, self.published = edge, media, published
        self.browser = Client()

    def ask(self, url: str) -> Answer:
        if url.startswith("http://testserver"):
            url = url.removeprefix("http://testserver")
        if url.startswith("/"):
            response = self.browser.get(url)
            return Answer(url, response.status_code, body_of(response))
        try:
            with urllib.request.urlopen(url, timeout=30) as answer:
                return Answer(url, answer.status, answer.read())
        except urllib.error.HTTPError as error:
            return Answer(url, error.code, error.read())

    def follow(self, text: str) -> Visit:
        """Ask for every picture that a page or a document of an API names."""
        found = re.findall(r"(?:https?://[^\s\"'<>,]+|/media/[^\s\"'<>,]+)", text)
        for url in dict.fromkeys(found):
            if url.startswith((self.edge, "http://testserver", "/media/")):
                yield self.ask(url)

    def look_at(self, page: str, image_id: int | None) -> Visit:
        image = get_image_model().objects.filter(pk=image_id).first()
        if image is not None:
            html = Template("{% load wagtailimages_tags %}" + page)
            yield from self.follow(html.render(Context({"image": image})))


def body_of(response: HttpResponseBase) -> bytes:
    if response.streaming:
        return b"".join(response.streaming_content)  # type: ignore[attr-defined]
    return bytes(response.content)  # type: ignore[attr-defined]


def original_file(visitor: Visitor, exhibit: Exhibit) -> Visit:
    image = get_image_model().objects.filter(pk=exhibit.image_id).first()
    current = [image.file.url] if image else []
    for url in (*exhibit.old_media, *current, *guessed_names(exhibit)):
        yield visitor.ask(url)


def renditions(visitor: Visitor, exhibit: Exhibit) -> Visit:
    model = get_image_model().get_rendition_model()
    for rendition in model.objects.filter(image_id=exhibit.image_id or 0):
        yield visitor.ask(rendition.file.url)
    yield from visitor.look_at("{% image image width-90 %}", exhibit.image_id)


def media_folder(visitor: Visitor, exhibit: Exhibit) -> Visit:
    for path in visitor.media.rglob("*"):
        if path.is_file():
            yield Answer(str(path), 200, path.read_bytes())


def serve_view(visitor: Visitor, exhibit: Exhibit) -> Visit:
    image = get_image_model()(pk=exhibit.image_id or 10**6)
    for spec in (*SPECS, "max-5000x5000"):
        yield visitor.ask(generate_image_url(image, spec))
    yield visitor.ask(generate_image_url(image, "original", key="guessed"))


def image_tag(visitor: Visitor, exhibit: Exhibit) -> Visit:
    page = (
        "{% image image width-80 %}{% image image original %}{% image_url image 'max-70x70' %}"
    )
    yield from visitor.look_at(page, exhibit.image_id)


def wagtail_picture_tag(visitor: Visitor, exhibit: Exhibit) -> Visit:
    page = (
        "{% picture image format-{webp,png} width-{80,120} %}"
        "{% srcset_image image width-{60,90} %}"
    )
    yield from visitor.look_at(page, exhibit.image_id)


def picture_tag(visitor: Visitor, exhibit: Exhibit) -> Visit:
    page = "{% load imagepipe_tags %}{% picture image %}{% picture image 'card' %}"
    yield from visitor.look_at(page, exhibit.image_id)


def rich_text(visitor: Visitor, exhibit: Exhibit) -> Visit:
    html = f'<embed embedtype="image" id="{exhibit.image_id or 10**6}" format="left" alt="x"/>'
    yield from visitor.follow(expand_db_html(html))


def api_v2(visitor: Visitor, exhibit: Exhibit) -> Visit:
    yield from _api(visitor, "/api/v2/images/", exhibit)


def api_v3(visitor: Visitor, exhibit: Exhibit) -> Visit:
    yield from _api(visitor, "/api/v3/images/", exhibit)


def _api(visitor: Visitor, address: str, exhibit: Exhibit) -> Visit:
    for url in (f"{address}?limit=20", f"{address}{exhibit.image_id or 10**6}/"):
        answer = visitor.ask(url)
        yield answer
        yield from visitor.follow(json.dumps(json.loads(answer.body)))


def old_page(visitor: Visitor, exhibit: Exhibit) -> Visit:
    for url in (*exhibit.old_edge, *exhibit.old_media):
        yield visitor.ask(url)


def guessed_edge_addresses(visitor: Visitor, exhibit: Exhibit) -> Visit:
    """With a wrong signature, and, as if the key were known, with a right one."""
    keyring, now = load_keyring(), int(time.time())
    other_uid = next(uid for uid in visitor.published if uid != exhibit.uid)
    strange = Keyring.generate()
    for sha256 in exhibit.versions:
        own = ImagePath(parse_transform("w_320"), exhibit.uid, sha256[:16], "boat", "png")
        mixed = dataclasses.replace(own, asset=other_uid)
        late = dataclasses.replace(own, expires=now - 1)
        good = sign_path(own, keyring)
        tampered = [
            good[:20] + ("A" if good[20] != "A" else "B") + good[21:],
            good.replace("w_320", "w_321"),
            sign_path(mixed, keyring).replace(other_uid, exhibit.uid),
            sign_path(own, strange),
            sign_path(own, strange).replace(f"/{strange.active}/", f"/{keyring.active}/"),
            sign_path(mixed, keyring),
            sign_path(late, keyring),
        ]
        for path in tampered:
            answer = visitor.ask(visitor.edge + path)
            assert answer.status in (400, 403, 404, 410), answer.url
            yield answer
        yield visitor.ask(visitor.edge + good)


def admin_without_permission(visitor: Visitor, exhibit: Exhibit) -> Visit:
    """Somebody who may enter the admin but has no rights to pictures."""
    user = get_user_model().objects.create_user("guest")
    user.user_permissions.add(Permission.objects.get(codename="access_admin"))
    visitor.browser.force_login(user)
    key = exhibit.image_id or 10**6
    pages = [
        reverse("wagtailimages_chooser:choose"),
        reverse("wagtailimages_chooser:choose_results"),
        reverse("wagtailimages_chooser:chosen", args=(key,)),
        reverse("wagtailimages_chooser:select_format", args=(key,)),
        reverse("wagtailimages:index"),
        reverse("wagtailimages:edit", args=(key,)),
        reverse("wagtailimages:preview", args=(key, "max-200x200")),
        reverse("wagtailimages:url_generator_output", args=(key,)),
    ]
    for page in pages:
        answer = visitor.ask(page)
        yield answer
        yield from visitor.follow(answer.body.decode(errors="replace"))


def admin_with_permission(visitor: Visitor, exhibit: Exhibit) -> Visit:
    """Wagtail's own pages show nothing that the public may not see, to anybody."""
    visitor.browser.force_login(get_user_model().objects.get(username="ed"))
    key = exhibit.image_id or 10**6
    pages = [
        reverse("wagtailimages_chooser:choose"),
        reverse("wagtailimages:index"),
        reverse("wagtailimages:edit", args=(key,)),
        reverse("wagtailimages:preview", args=(key, "max-200x200")),
    ]
    for page in pages:
        answer = visitor.ask(page)
        yield answer
        yield from visitor.follow(answer.body.decode(errors="replace"))


DOORS: dict[str, Callable[[Visitor, Exhibit], Visit]] = {
    door.__name__: door
    for door in (
        original_file,
        renditions,
        media_folder,
        serve_view,
        image_tag,
        wagtail_picture_tag,
        picture_tag,
        rich_text,
        api_v2,
        api_v3,
        old_page,
        guessed_edge_addresses,
        admin_without_permission,
        admin_with_permission,
    )
}
CLOSED_TO_ALL = frozenset({"admin_without_permission"})
"""Doors that show no picture at all, not even a published one."""
