"""``demo --check``: the whole way of one picture, over HTTP, with nobody at the keyboard.

Each step is done by the person whose role it is; what is not as it should be ends the check.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

from lxml import html

from website.demo import credentials
from website.demo.browser import Browser, Unexpected
from website.demo.evidence import Evidence
from website.demo.orders import TEMPLATE_NAME
from website.demo.progress import Progress
from website.demo.sitemap import require_in_sitemaps

STUDIO = "/admin/imagepipe"
TITLE = "Toadstool"
ALT = {"en": "A mushroom with a red cap", "de": "Ein Pilz mit rotem Hut"}
SEED = 42
FORMATS = ("image/avif", "image/webp", "image/jpeg")
PUBLICATION = 10.0
"""Seconds within which a published picture is at the edge."""
WITHDRAWAL = 10.0
"""Seconds within which a withdrawn picture is gone from it."""
UID = r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"


class JourneyFailed(RuntimeError):
    """The first thing that was not as it should be."""


class Site(Protocol):
    """What the check needs to know of a running demonstration."""

    url: str
    passwords: dict[str, str]
    root_certificate: Path


@dataclass
class Journey:
    """What one step leaves for the next."""

    site: Site
    evidence: Evidence
    people: dict[str, Browser]
    run: str = ""
    candidates: list[dict[str, Any]] = field(default_factory=list)
    asset: str = ""
    image: str = ""
    page: str = ""
    pictures: dict[str, list[tuple[str, int]]] = field(default_factory=dict)
    """Addresses at the edge with their widths, by media type."""
    sidecars: list[str] = field(default_factory=list)
    """Addresses of credentials that lie beside their pictures."""


def walk(site: Site, output: Any) -> None:
    """Do all steps and print what was seen. Raises JourneyFailed."""
    visitor = Browser(site.url)
    journey = Journey(site, Evidence(visitor), {"visitor": visitor})
    progress = Progress(output)
    output.write("\nWalking the journey")
    try:
        for title, step in STEPS:
            with progress.step(title) as report:
                report(step(journey) or "")
    except Unexpected as error:
        output.write(journey.evidence.table())
        raise JourneyFailed(f"{title}: {error}") from error
    output.write(f"\n{journey.evidence.table()}\n")
    output.write(f"{len(journey.evidence.rows)} addresses, all as they should be.")


def log_in(journey: Journey) -> str:
    for name, password in journey.site.passwords.items():
        journey.people[name] = Browser(journey.site.url).log_in(name, password)
    return ", ".join(journey.site.passwords)


def generate(journey: Journey) -> str:
    """Four candidates from a template and a fixed seed."""
    editor = journey.people["editor"]
    page = editor.read(f"{STUDIO}/generate/")
    choices = editor.form(page, "title", "template").inputs["template"]
    templates = {option.text_content().strip(): option.get("value") for option in choices}
    page = editor.read(f"{STUDIO}/generate/?template={templates[TEMPLATE_NAME]}")
    form = editor.form(page, "title", "variable_object")
    values = {
        "title": TITLE,
        "variable_object": "a mushroom",
        "variable_colour": "a white",
        "candidates": 4,
        "seed": SEED,
    }
    journey.run = editor.submit(form, values).url
    end = time.monotonic() + 120
    while True:
        state = editor.read_json(f"{journey.run}progress/")
        if state["finished"]:
            break
        if time.monotonic() > end:
            raise Unexpected(f"{journey.run} is still “{state['state']}” after two minutes")
        time.sleep(0.5)
    journey.candidates = [c for c in state["candidates"] if c["state"] == "offered"]
    if state["state"] != "succeeded" or len(journey.candidates) < 2:
        found = [candidate["state"] for candidate in state["candidates"]]
        raise Unexpected(f"{state['state']} with candidates {found}: {state['message']}")
    for candidate in state["candidates"]:
        picture = editor.get(candidate["picture_url"])
        if picture.status_code != 200:
            raise Unexpected(f"the editor may not see {candidate['picture_url']}")
        if journey.people["visitor"].get(candidate["picture_url"]).url == picture.url:
            raise Unexpected(f"a visitor can see {candidate['picture_url']}")
    return f"{len(state['candidates'])} candidates"


def review(journey: Journey) -> str:
    """The reviewer approves the first and rejects the second."""
    reviewer = journey.people["reviewer"]
    first, second = journey.candidates[:2]
    page = reviewer.read(f"{STUDIO}/candidates/{UUID(first['uid'])}/")
    answer = reviewer.submit(reviewer.form(page, "title"), {"title": TITLE})
    found = re.search(rf"/pictures/({UID})/", answer.url)
    if found is None:
        raise Unexpected(f"approving led to {answer.url}, not to a picture")
    journey.asset = found.group(1)
    page = reviewer.read(f"{STUDIO}/candidates/{UUID(second['uid'])}/")
    form = reviewer.form(page, "reason", "note")
    reviewer.submit(form, {"reason": form.inputs["reason"].value_options[-1], "note": "check"})
    return "one approved, one rejected"


def clear(journey: Journey) -> str:
    """Words by the editor, rights by the rights manager; before that it cannot be published."""
    publish = f"{STUDIO}/pictures/{journey.asset}/versions/1/publish/"
    publisher = journey.people["publisher"]
    _press(publisher, f"{STUDIO}/pictures/{journey.asset}/", publish, refused=True)
    editor, rights = journey.people["editor"], journey.people["rights"]
    page = editor.read(f"{STUDIO}/pictures/{journey.asset}/alt/")
    form = next(form for form in page.forms if any("alt" in name for name in form.fields))
    texts = {
        name: ALT[name.removeprefix("alt_")]
        for name in form.fields
        if name and name.startswith("alt_") and name.removeprefix("alt_") in ALT
    }
    editor.submit(form, texts)
    page = rights.read(f"{STUDIO}/pictures/{journey.asset}/rights/")
    form = rights.form(page, "licence", "rights_holder")
    rights.submit(form, {"licence": "CC0 1.0", "rights_holder": "The Harbour Room"})
    _press(publisher, f"{STUDIO}/pictures/{journey.asset}/", publish)
    return "refused without rights, published with them"


def place(journey: Journey) -> str:
    """The publisher puts the picture on a new page."""
    publisher = journey.people["publisher"]
    page = publisher.read(f"{STUDIO}/pictures/{journey.asset}/")
    found = re.search(r"/admin/images/(\d+)/", html.tostring(page, encoding="unicode"))
    if found is None:
        raise Unexpected("there is no Wagtail image for the published picture")
    journey.image = found.group(1)
    parent = next(
        item["id"]
        for item in publisher.read_json("/api/v2/pages/?type=website.HomePage&locale=en")[
            "items"
        ]
    )
    page = publisher.read(f"/admin/pages/add/website/storypage/{parent}/")
    form = publisher.form(page, "title", "hero")
    values = {
        "title": TITLE,
        "slug": "toadstool",
        "lead": "Do not eat it.",
        "hero": journey.image,
        "body-count": 0,
        "action-publish": "action-publish",
    }
    publisher.submit(form, values)
    journey.page = f"{journey.site.url}/en/toadstool/"
    return journey.page


def deliver(journey: Journey) -> str:
    """A visitor reads the pages and follows every picture address to the edge."""
    visitor = journey.people["visitor"]
    count, waited = 0, _wait_for_delivery(journey)
    for address in (journey.page, "/en/", "/de/", "/de/zwanzig-dinge/"):
        journey.evidence.fetch(address, "text/html")
        page = visitor.read(address)
        pictures = _pictures(page)
        if address == journey.page:
            journey.pictures = pictures
            _require_disclosure(page)
        elif address.endswith("zwanzig-dinge/"):  # the smallest of each: there are twenty
            pictures = {kind: _narrowest(found) for kind, found in pictures.items()}
        for kind, found in pictures.items():
            for url, width in found:
                journey.evidence.fetch(url, kind, width=width)
                count += 1
    if set(journey.pictures) != set(FORMATS) or not all(journey.pictures.values()):
        raise Unexpected(f"{journey.page} offers only {sorted(journey.pictures)}")
    _require_tampering_is_refused(journey)
    return f"{count} pictures in {len(FORMATS)} formats, the new one after {waited:.1f} s"


def find_in_sitemaps(journey: Journey) -> str:
    return require_in_sitemaps(journey.evidence, journey.page, journey.asset)


def prove(journey: Journey) -> str:
    """What the edge delivered leads back to the generation; one changed byte is found."""
    recipe = journey.people["editor"].get(
        f"{STUDIO}/pictures/{journey.asset}/versions/1/recipe/"
    )
    root = journey.site.root_certificate.read_bytes()
    checked = []
    for kind, found in journey.pictures.items():
        delivered = credentials.fetch(journey.people["visitor"], found[-1][0], kind)
        credentials.require_proof(delivered, root, recipe.content)
        credentials.require_damage_is_found(delivered, root)
        place = "inside"
        if delivered.address:
            place = "beside"
            journey.sidecars.append(delivered.address)
        checked.append(f"{kind.partition('/')[2].upper()} {place}")
    return ", ".join(checked)


def withdraw(journey: Journey) -> str:
    """Gone from the edge within seconds, from the page and from the sitemap."""
    publisher, visitor = journey.people["publisher"], journey.people["visitor"]
    address = f"{STUDIO}/pictures/{journey.asset}/"
    _press(publisher, address, f"{address}withdraw/", reason="The check withdraws it.")
    start = time.monotonic()
    urls = [url for found in journey.pictures.values() for url, _width in found]
    urls += journey.sidecars
    while left := [url for url in urls if visitor.get(url).status_code == 200]:
        if time.monotonic() - start > WITHDRAWAL:
            raise Unexpected(f"{left[0]} is still delivered after {WITHDRAWAL:.0f} s")
        time.sleep(0.2)
    seconds = time.monotonic() - start
    if any(_pictures(visitor.read(journey.page)).values()):
        raise Unexpected(f"{journey.page} still shows the picture")
    if journey.asset.replace("-", "") in visitor.get("/sitemap-images.xml").text:
        raise Unexpected("the image sitemap still lists the picture")
    return f"gone after {seconds:.1f} s"


STEPS: tuple[tuple[str, Callable[[Journey], str]], ...] = (
    ("Log-ins", log_in),
    ("Four candidates from a fixed seed", generate),
    ("Review", review),
    ("Words, rights, publication", clear),
    ("Placed on a page", place),
    ("Delivered by the edge", deliver),
    ("Sitemaps", find_in_sitemaps),
    ("Provenance of what was delivered", prove),
    ("Withdrawal", withdraw),
)


def _press(
    browser: Browser, address: str, action: str, *, refused: bool = False, **values: str
) -> None:
    """Send the form on a page that leads to ``action``; it may be expected to refuse."""
    page = browser.read(address)
    form = next((form for form in page.forms if (form.action or "").endswith(action)), None)
    if form is None:
        if refused:
            return  # not even offered
        raise Unexpected(f"{address} has no button for {action}")
    try:
        browser.submit(form, values)
    except Unexpected:
        if not refused:
            raise
    else:
        if refused:
            raise Unexpected(f"{action} was done, though it must be refused")


def _pictures(page: html.HtmlElement) -> dict[str, list[tuple[str, int]]]:
    """Addresses and widths in all srcsets, by media type; the fallback is JPEG."""
    found: dict[str, list[tuple[str, int]]] = {}
    for element in page.xpath("//picture//source[@srcset]|//picture//img[@srcset]"):
        kind = element.get("type") or "image/jpeg"
        for entry in element.get("srcset").split(", "):
            url, width = entry.split()
            found.setdefault(kind, []).append((url, int(width.rstrip("w"))))
    return found


def _wait_for_delivery(journey: Journey) -> float:
    """The worker hands over to the edge; how long after the page was published."""
    visitor, start = journey.people["visitor"], time.monotonic()
    pictures = _pictures(visitor.read(journey.page))
    if not pictures:
        raise Unexpected(f"{journey.page} shows no picture")
    url = next(iter(pictures.values()))[0][0]
    while visitor.get(url).status_code != 200:
        if time.monotonic() - start > PUBLICATION:
            raise Unexpected(f"{url} is not delivered after {PUBLICATION:.0f} s")
        time.sleep(0.1)
    return time.monotonic() - start


def _narrowest(found: list[tuple[str, int]]) -> list[tuple[str, int]]:
    least = min(width for _url, width in found)
    return [(url, width) for url, width in found if width == least]


def _require_disclosure(page: html.HtmlElement) -> None:
    if not page.xpath("//figure//figcaption[contains(., 'AI-generated')]"):
        raise Unexpected("the page does not say that the picture was generated")


def _require_tampering_is_refused(journey: Journey) -> None:
    url = journey.pictures["image/jpeg"][-1][0]
    for address in (url.replace("/w_", "/w_9", 1), f"{url}x"):
        if (status := journey.people["visitor"].get(address).status_code) == 200:
            raise Unexpected(f"a tampered address answered {status}: {address}")
