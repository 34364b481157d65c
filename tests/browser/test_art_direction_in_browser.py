from __future__ import annotations

import base64
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from django.core.cache import cache
from django.template import Context, Template
from PIL import Image

import imagepipe
from imagepipe.delivery.actions import PublishVersion
from imagepipe.delivery.reconcile import reconcile_now
from tests.delivery.conftest import library
from tests.delivery.library import Library

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Route

__all__ = ["library"]

PAGE = "http://page.example/"
POLICY = "default-src 'none'; style-src 'self'; img-src https://edge.example"
STATIC = Path(imagepipe.__file__).parent / "static/imagepipe"


class Site:
    """One page under a strict content security policy, with pictures that load or do not."""

    def __init__(self, html: str, policy: str = POLICY) -> None:
        self.policy = policy
        self.html = f'<!doctype html><link rel="stylesheet" href="/picture.css">{html}'
        self.is_loading = True
        self.asked: list[str] = []

    def answer(self, route: Route) -> None:
        url = route.request.url
        if url.startswith("https://edge.example"):
            self.asked.append(url)
            if not self.is_loading:
                return route.abort()
            return route.fulfill(body=self._pixels(url), content_type="image/png")
        if url.endswith(".css"):
            body = (STATIC / "picture.css").read_text()
            return route.fulfill(body=body, content_type="text/css")
        if url.endswith(".js"):
            body = (STATIC / "thumbhash.js").read_text()
            return route.fulfill(body=body, content_type="text/javascript")
        headers = {"Content-Security-Policy": self.policy}
        return route.fulfill(body=self.html, content_type="text/html", headers=headers)

    def _pixels(self, url: str) -> bytes:
        width, height = map(int, re.findall(r"[wh]_(\d+)", url))
        file = io.BytesIO()
        Image.new("RGB", (width, height)).save(file, "PNG")
        return file.getvalue()


@pytest.fixture(autouse=True)
def _cold_cache() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


def published(library: Library, colour: str, other: str = "") -> Any:
    """Of one colour, or of two side by side."""
    file = io.BytesIO()
    picture = Image.new("RGB", (1600, 1200), colour)
    if other:
        picture.paste(other, (800, 0, 1600, 1200))
    picture.save(file, "PNG")
    asset = library.asset()
    library.do(PublishVersion(library.version(asset, file.getvalue()), None))
    reconcile_now()
    asset.refresh_from_db()
    return asset


def page_of(text: str, policy: str = POLICY, **values: Any) -> Site:
    return Site(Template("{% load imagepipe_tags %}" + text).render(Context(values)), policy)


def test_browsers_choose_by_width_and_colour_scheme(library: Library, browser: Browser) -> None:
    day, night = published(library, "#ffcc88"), published(library, "#101020")
    site = page_of(
        '{% picture day "hero" narrow="square" dark_image=night %}',
        day=day.image,
        night=night.image,
    )
    found = []
    for scheme in ("light", "dark"):
        for width in (1200, 400):
            context = browser.new_context(
                viewport={"width": width, "height": 700}, color_scheme=scheme
            )
            page = context.new_page()
            page.route("**/*", site.answer)
            page.goto(PAGE)
            image = page.locator("img")
            image.evaluate("image => image.decode()")
            url = str(image.evaluate("image => image.currentSrc"))
            ratio = image.evaluate("image => image.clientWidth / image.clientHeight")
            found.append((night.uid.hex in url, url.endswith(".avif"), round(ratio, 2)))
            context.close()
    wide, square = 1.78, 1.0
    assert found == [
        (False, True, wide),
        (False, True, square),
        (True, True, wide),
        (True, True, square),
    ]
    assert len(site.asked) == 4


def test_the_colour_under_a_strict_policy(library: Library, browser: Browser) -> None:
    site = page_of("{% picture image 'card' %}", image=published(library, "#2266bb").image)
    site.is_loading = False
    page = browser.new_page()
    refused: list[str] = []
    page.on("console", lambda message: refused.append(message.text))
    page.route("**/*", site.answer)
    page.goto(PAGE)
    style = page.locator("img").evaluate(
        "image => [getComputedStyle(image).backgroundColor, getComputedStyle(image).color]"
    )
    page.close()
    assert style == ["rgb(34, 102, 187)", "rgb(255, 255, 255)"]
    assert not [text for text in refused if "Security Policy" in text]


@pytest.mark.parametrize("extra", ["", " data:"])
def test_the_thumbhash_is_drawn_until_the_picture_is_there(
    library: Library, browser: Browser, settings: Any, extra: str
) -> None:
    settings.IMAGEPIPE = {**settings.IMAGEPIPE, "PICTURE_THUMBHASH": True}
    asset = published(library, "#2266bb", "#ddaa33")
    tag = "{% picture image 'card' class='photo' %}<script src='/thumbhash.js'></script>"
    site = page_of(tag, f"{POLICY}{extra}; script-src 'self'", image=asset.image)
    site.is_loading = False
    page = browser.new_page()
    page.route("**/*", site.answer)
    page.goto(PAGE)
    image = page.locator("img")
    styles = "image => [image.style.backgroundImage, getComputedStyle(image).backgroundColor]"
    drawn, colour = image.evaluate(styles)
    assert colour == "rgb(34, 102, 187)"  # stays where the policy forbids the rest
    body = base64.b64decode(drawn.partition("base64,")[2].rstrip('")'))
    pixels = np.asarray(Image.open(io.BytesIO(body)).convert("RGBA"), dtype=float)
    assert pixels.shape == (23, 32, 4)
    for half, expected in (
        (pixels[:, :12], (0x22, 0x66, 0xBB, 255)),
        (pixels[:, -12:], (0xDD, 0xAA, 0x33, 255)),
    ):
        assert half.mean((0, 1)) == pytest.approx(expected, abs=15)
    site.is_loading = True
    again = "addEventListener('load', done); image.srcset += ' ';"
    image.evaluate(f"image => new Promise(done => {{ image.{again} }})")
    assert image.evaluate(styles)[0] == ""
    page.close()
