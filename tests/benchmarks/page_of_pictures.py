"""What a hundred pictures on a page cost the web process, beside Wagtail's own picture tag.

    python -m tests.benchmarks.page_of_pictures [--pictures 100] [--rounds 15]

The reference site's story page is asked through Django's test client with a gallery and
without, in turn; both tags in the same process. CPU time counts, less that of the page without
pictures. "Cold": the cache and the memory of addresses are empty; Wagtail's renditions are made
before, by a first visit.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from django.test import Client

PROJECT = Path(__file__).parents[2]
STOCK = Path(__file__).parent / "stock_tags" / "templates"
WITH, WITHOUT = "/en/many/", "/en/none/"


def create_pages(pictures: int) -> None:
    from django.conf import settings
    from django.core.files.storage import storages
    from django.core.management import call_command
    from wagtail.models import Page
    from website.demo import content, people
    from website.demo.library import People, publish_photographs
    from website.pages import StoryPage

    from imagepipe.delivery.actions import PublishVersion
    from imagepipe.delivery.reconcile import reconcile_now
    from imagepipe.provenance.keys import create_keys
    from tests.delivery.library import Library, png

    call_command("migrate", verbosity=0)
    create_keys()
    library = Library(
        *(
            Path(storages[alias].location)  # type: ignore[attr-defined]
            for alias in ("imagepipe_delivery", "default", "imagepipe_private")
        )
    )
    people.create_people(Path(settings.VAR) / "log-ins.json")
    found: list[Any] = []
    for number in range(pictures):
        asset = library.asset(title=f"Picture {number}")
        version = library.version(asset, png(1000 + number, 750))  # no two of a size
        library.do(PublishVersion(version, None))
        reconcile_now(asset=asset)
        asset.refresh_from_db()
        found.append(asset.image)
    images = publish_photographs(People.load(), lambda text: None)
    home = Page.objects.filter(slug="en").first() or create_home(content, images)
    for slug, body in (("many", [("gallery", found)]), ("none", [])):
        home.add_child(instance=StoryPage(title=slug, slug=slug, lead=slug, body=body))


def create_home(content: Any, images: dict[str, Any]) -> Any:
    from website.pages import HomePage

    content.create_pages(defaultdict(lambda: next(iter(images.values())), images), port=80)
    return HomePage.objects.get(locale__language_code="en")


def visit(client: Client, path: str) -> tuple[float, int, str]:
    """CPU milliseconds, database queries, and the page."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as captured:
        begin = time.process_time()
        answer = client.get(path)
        spent = time.process_time() - begin
    assert answer.status_code == 200, answer.status_code
    return 1000 * spent, len(captured), answer.content.decode()


def measure(pictures: int, rounds: int) -> None:
    from django.conf import settings
    from django.core.cache import cache
    from django.test import Client
    from django.test.utils import override_settings

    from imagepipe.delivery import sources

    stock = [{**settings.TEMPLATES[0], "DIRS": [STOCK]}]
    found: dict[tuple[str, str], list[tuple[float, int]]] = defaultdict(list)
    client = Client()
    for number in range(-2, rounds):
        for tags, templates in (("imagepipe", settings.TEMPLATES), ("Wagtail's", stock)):
            with override_settings(TEMPLATES=templates):
                client.get(WITHOUT)  # templates are parsed
                client.get(WITH)
                for when in ("cold", "warm"):
                    found_of = {}
                    for path in (WITH, WITHOUT):
                        client.get(path)
                        if when == "cold":
                            cache.clear()
                            sources._sources.cache_clear()
                            sources._widest.cache_clear()
                        found_of[path] = visit(client, path)
                    with_pictures, without = found_of[WITH], found_of[WITHOUT]
                    assert with_pictures[2].count("<picture>") == pictures
                    if number >= 0:
                        more = (with_pictures[0] - without[0], with_pictures[1] - without[1])
                        found[tags, when].append(more)
    print(f"| {pictures} pictures more | CPU ms, median (middle half) | queries |")
    print("|---|---|---|")
    for (tags, when), values in found.items():
        low, middle, high = statistics.quantiles([value[0] for value in values], n=4)
        queries = sorted({value[1] for value in values})
        print(f"| {tags}, {when} | {middle:.1f} ({low:.1f}–{high:.1f}) | {queries} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args()
    if "IMAGEPIPE_VAR" not in os.environ:
        with tempfile.TemporaryDirectory() as folder:
            environ = os.environ | {
                "IMAGEPIPE_VAR": folder,
                "DJANGO_SETTINGS_MODULE": "website.settings.demo",
                "PYTHONPATH": os.pathsep.join((str(PROJECT / "site"), str(PROJECT))),
            }
            command = [sys.executable, "-m", "tests.benchmarks.page_of_pictures", *sys.argv[1:]]
            sys.exit(subprocess.call(command, env=environ, cwd=PROJECT))
    import django

    django.setup()
    create_pages(options.pictures)
    if options.profile:
        profile()
    else:
        measure(options.pictures, options.rounds)


def profile() -> None:
    import cProfile
    import pstats

    from django.test import Client

    client = Client()
    for _ in range(3):
        client.get(WITH)
    with cProfile.Profile() as watch:
        for _ in range(10):
            client.get(WITH)
    pstats.Stats(watch).sort_stats("tottime").print_stats(45)


if __name__ == "__main__":
    main()
