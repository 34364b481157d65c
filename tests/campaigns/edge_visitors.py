"""Visitors of an edge who do everything that visitors do, and check what they get."""

from __future__ import annotations

import hashlib
import http.client
import io
import itertools
import json
import random
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from PIL import Image
from skimage import data

from imagepipe.urlspec import LADDER
from tests.edge.conftest import CHROME, Answer, Delivery, encoded

#: How many of a thousand pages show a picture this wide.
_WIDTHS = dict(zip(LADDER, (180, 200, 220, 200, 120, 60, 20), strict=True))
_ACCEPTS = (CHROME, "image/webp,*/*", "image/*;q=0.8", "*/*", "")


def photographs(seed: int, sides: tuple[int, ...]) -> list[tuple[str, bytes]]:
    """Photographs as masters (MIME type, bytes), with the grain that enlarging took."""
    rng = np.random.default_rng(seed)
    kinds = itertools.cycle(("image/jpeg", "image/webp", "image/jpeg", "image/avif"))
    sources = (data.rocket, data.astronaut, data.chelsea, data.coffee)
    found = []
    for source, side in itertools.product(sources, sides):
        image = Image.fromarray(source())
        height = side * image.height // image.width
        pixels = np.asarray(image.resize((side, height), Image.Resampling.BICUBIC), "int16")
        grain = rng.integers(-6, 7, pixels.shape[:2], "int16")[..., None]
        image = Image.fromarray(np.clip(pixels + grain, 0, 255).astype("uint8"))
        mime = next(kinds)
        options = {"speed": 10} if mime == "image/avif" else {}
        found.append((mime, encoded(image, mime[6:].upper(), quality=88, **options)))
    return found


@dataclass
class Site:
    """What there is to look at, and what became of it."""

    delivery: Delivery
    assets: list[str]
    gone: str
    limited: str
    seen: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def of(cls, delivery: Delivery, masters: list[tuple[str, bytes]]) -> Site:
        """Publish every master, the first once more as withdrawn and as limited to a market."""
        versions = [delivery.version(body, mime) for mime, body in masters]
        assets = [delivery.publish(version) for version in versions]
        gone, limited = delivery.publish(versions[0]), delivery.publish(versions[0])
        delivery.change(gone, state="withdrawn")
        delivery.change(limited, markets=("DE",))
        return cls(delivery, assets, gone, limited)

    def note(self, kind: str, is_right: bool, what: str) -> None:
        """Count an answer; a wrong one is told."""
        with self.lock:
            self.seen[kind] += 1
            if not is_right:
                self.wrong.append(f"{kind}: {what}")

    def renew(self, rng: random.Random) -> None:
        """An editor changes something: the grant is published anew."""
        with self.lock:
            self.delivery.change(rng.choice(self.assets), credit={"title": str(rng.random())})


class Visitor(threading.Thread):
    """Asks until it is told to stop; `pause` says how long to rest before the next request."""

    def __init__(
        self,
        port: int,
        site: Site,
        seed: int,
        stopped: threading.Event,
        pause: Callable[[], float],
    ) -> None:
        super().__init__(daemon=True)
        self._port, self._site, self._stopped, self._pause = port, site, stopped, pause
        self._rng = random.Random(seed)
        self._line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._known: dict[str, str] = {}

    def run(self) -> None:
        deeds = (
            (self._look, 60), (self._look_again, 12), (self._part, 6), (self._auto, 10),
            (self._new, 4), (self._refused, 7), (self._operate, 1),
        )  # fmt: skip
        choices, weights = zip(*deeds, strict=True)
        while not self._stopped.wait(self._pause()):
            try:
                self._rng.choices(choices, weights)[0]()
            except Exception as error:  # noqa: BLE001 told at the end
                self._line.close()
                self._site.note("broken", False, repr(error))

    def _look(self) -> None:
        """A page's picture: most look at the same few."""
        asset = self._popular()
        width = self._rng.choices(list(_WIDTHS), list(_WIDTHS.values()))[0]
        url = self._url(asset, f"w_{width}", self._rng.choice(("webp", "avif", "jpg")))
        answer = self._get(url)
        self._check("look", url, answer)
        if len(self._known) > 200:
            self._known.pop(next(iter(self._known)))
        if answer.status == 200:
            self._known[url] = answer.headers["ETag"]
        if (link := answer.headers["Link"]) and self._rng.random() < 0.1:
            beside = self._get(answer.sidecar_of(url))
            self._site.note("sidecar", beside.status in (200, 404), f"{beside.status} {link}")

    def _look_again(self) -> None:
        if self._known:
            url, tag = self._rng.choice(list(self._known.items()))
            answer = self._get(url, If_None_Match=tag)
            if answer.status == 304:
                self._site.note("not modified", answer.body == b"", url)
            else:  # settled, or marked anew, since
                self._check("modified", url, answer)

    def _part(self) -> None:
        if self._known:
            url, tag = self._rng.choice(list(self._known.items()))
            start = self._rng.randrange(3000)
            answer = self._get(url, Range=f"bytes={start}-{start + 999}", If_Range=tag)
            if answer.status in (206, 416):
                is_right = answer.status == 416 or answer.headers["ETag"] == tag
                self._site.note("part", is_right, f"{answer.status} {url}")
            else:
                self._check("part of another", url, answer)

    def _auto(self) -> None:
        url = self._url(self._popular(), self._rng.choice(("w_640", "w_auto.400")), "auto")
        hints = {"Sec_CH_Width": str(self._rng.randrange(1, 5000))}
        if self._rng.random() < 0.2:
            hints["Save_Data"] = "on"
        answer = self._get(url, Accept=self._rng.choice(_ACCEPTS), **hints)
        self._check("negotiated", url, answer)

    def _new(self) -> None:
        """Something that nobody asked for before: crops, qualities, odd widths."""
        rng = self._rng
        transform = rng.choice(
            ("w_{a},h_{b},c_fill,g_attention", "w_{a},h_{b},c_pad,b_aabbcc", "w_{a},q_{q}")
        ).format(a=rng.randrange(40, 900), b=rng.randrange(40, 900), q=rng.randrange(30, 95))
        url = self._url(rng.choice(self._site.assets), transform, rng.choice(("jpg", "webp")))
        self._check("new", url, self._get(url))

    def _refused(self) -> None:
        site, rng = self._site, self._rng
        asset = rng.choice(site.assets)
        url = self._url(asset, "w_640", "jpg")
        asked = {
            "forged": (url.replace("w_640", f"w_{rng.randrange(100, 999)}"), {403, 200}),
            "unknown": (f"/k1/{rng.randbytes(8).hex()}/x", {404}),
            "query": (f"{url}?v={rng.random()}", {400}),
            "withdrawn": (self._url(site.gone, f"w_{rng.randrange(1, 2000)}", "jpg"), {410}),
            "market": (self._url(site.limited, "w_640", "webp"), {451}),
            "preview ended": (self._url(asset, "w_640", "jpg", expires=1_000_000), {403}),
        }
        kind = rng.choice(list(asked))
        answer = self._get(asked[kind][0])
        is_right = answer.status in asked[kind][1]
        self._site.note(kind, is_right, f"{answer.status} {asked[kind][0]}")

    def _operate(self) -> None:
        path = self._rng.choice(("/healthz", "/readyz", "/metrics"))
        answer = self._get(path)
        self._site.note(path, answer.status == 200, f"{answer.status} {answer.body!r}")
        if self._rng.random() < 0.3:
            self._site.renew(self._rng)

    def _check(self, kind: str, url: str, answer: Answer) -> None:
        """A picture whose bytes are those of its ETag and of which some are decoded."""
        if answer.status == 503:
            reason = json.loads(answer.body)["reason"]
            self._site.note(reason, reason in ("overloaded", "changed"), url)
            return
        tag = f'"{hashlib.sha256(answer.body).hexdigest()[:32]}"'
        is_right = answer.status == 200 and tag == answer.headers["ETag"]
        if is_right and self._rng.random() < 0.02:
            Image.open(io.BytesIO(answer.body)).load()
        self._site.note(kind, is_right, f"{answer.status} {url} {answer.body[:200]!r}")

    def _popular(self) -> str:
        place = min(self._rng.paretovariate(0.8), len(self._site.assets))
        return self._site.assets[int(place) - 1]

    def _url(self, asset: str, transform: str, extension: str, **more: int) -> str:
        return self._site.delivery.url(asset, transform, extension, **more)

    def _get(self, path: str, **headers: str) -> Answer:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        self._line.request("GET", path, headers=sent)
        answer = self._line.getresponse()
        return Answer(answer.status, answer.headers, answer.read())


