"""Time and memory of an image sitemap of a million pictures, beside Django's own sitemap.

    python -m tests.benchmarks.image_sitemap --pages 200000 --pictures 5 [--work FOLDER]

fills a new SQLite file in a temporary folder, or in FOLDER, which is kept and filled once, then
writes both sitemaps in processes of their own through the views, and validates the files of the
image sitemap.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
SCHEMAS = REPOSITORY / "tests/seo"
FILL = """
import json, sys, uuid
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import connection
from django.utils import timezone
from wagtail.images import get_image_model
from wagtail.models import Collection, Locale, Page, ReferenceIndex, Site
from imagepipe.assets.models import Asset
from imagepipe.delivery.models import Publication
from imagepipe.provenance.keys import create_keys

pages, pictures = map(int, sys.argv[1:])
call_command("migrate", verbosity=0)
create_keys()
Image = get_image_model()
locale = Locale.objects.first()
root = Page.objects.get(depth=1)
for child in root.get_children():
    child.delete()
root = Page.objects.get(depth=1)
home = root.add_child(instance=Page(title="Home", slug="home", locale=locale))
Site.objects.all().delete()
Site.objects.create(hostname="testserver", root_page=home, is_default_site=True)
collection = Collection.get_first_root_node()
page_type = ContentType.objects.get_for_model(Page)
image_type = ContentType.objects.get_for_model(Image)
now = timezone.now()

def many(row, count, **others):
    # Rows 1 to count - 1 like this one, number 0; columns that differ are SQL over i.
    [row] = type(row).objects.bulk_create([row])
    table, key = row._meta.db_table, row._meta.pk.column
    columns = [field.column for field in row._meta.concrete_fields]
    others = {key: f"{row.pk} + i", **others}
    values = [others.get(name, f'zero."{name}"') for name in columns]
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMP TABLE zero AS SELECT * FROM {table} WHERE {key}={row.pk}")
        cursor.execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
            f"WHERE i + 1 < {count}) INSERT INTO {table} ({', '.join(columns)}) "
            f"SELECT {', '.join(values)} FROM n, zero WHERE i < {count}"
        )
        cursor.execute("DROP TABLE zero")
    return row.pk

def hexadecimal(prefix):
    return f"printf('{prefix:08x}%024x', i)"

first, total = uuid.UUID(int=1 << 96), pages * pictures
base = len(Page.alphabet)
digits = "".join(
    f"||substr('{Page.alphabet}', (i + 1) / {base ** power} % {base} + 1, 1)"
    for power in reversed(range(Page.steplen))
)
first_page = many(
    Page(title="P0", slug="p0", path=home.path + Page._int2str(1).zfill(Page.steplen), depth=3,
        numchild=0, url_path=f"{home.url_path}p0/", content_type=page_type, locale=locale,
        live=True, draft_title="P0", last_published_at=now, translation_key=first),
    pages,
    path=f"'{home.path}'{digits}", slug="'p' || i", title="'P' || i", draft_title="'P' || i",
    url_path=f"'{home.url_path}p' || i || '/'", translation_key=hexadecimal(1),
)
home.numchild = pages
home.save()
first_image = many(
    Image(title="I0", file="original_images/i0.jpg", width=1600, height=900,
        collection=collection),
    total, title="'I' || i", file="'original_images/i' || i || '.jpg'",
)
asset = many(
    Asset(title="I0", slug="i0", image_id=first_image, collection=collection, uid=first),
    total, title="'I' || i", slug="'i' || i", image_id=f"{first_image} + i", uid=hexadecimal(1),
)
document = {"published": True, "asset": first.hex, "version": "5" * 16,
    "slug": "harbour-at-dawn", "title": "Harbour at dawn", "width": 1600, "height": 900,
    "focal": [0.5, 0.4], "alt": {"en": "Boats in the harbour", "de": "Boote im Hafen"},
    "decorative": False, "disclosure": True, "valid_from": None, "valid_until": None,
    "channels": [], "fallback": None, "source_type": "", "recipe": "ab" * 32,
    "rights": {"licence": "CC BY 4.0", "holder": "Ada"}, "changed": 1780000000}
many(
    Publication(asset_id=asset, desired=1, observed=1, document=document), total,
    asset_id=f"{asset} + i",
    document=f"replace(zero.document, '{first.hex}', {hexadecimal(1)})",
)
many(
    ReferenceIndex(content_type=page_type, base_content_type=page_type,
        object_id=str(first_page), to_content_type=image_type, to_object_id=str(first_image),
        model_path="hero", content_path="hero", content_path_hash=first),
    total, object_id=f"CAST({first_page} + i / {pictures} AS TEXT)",
    to_object_id=f"CAST({first_image} + i AS TEXT)", content_path_hash=hexadecimal(1),
)
assert Page.objects.get(slug=f"p{pages - 1}").path == (
    home.path + Page._int2str(pages).zfill(Page.steplen))
print(json.dumps({"pages": pages, "pictures": total}))
"""

WRITE = """
import json, resource, sys, time
from pathlib import Path
from django.test import Client
from django.core.cache import cache

kind, folder = sys.argv[1], Path(sys.argv[2])
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
client = Client()
if kind == "django":
    from django.contrib.sitemaps import Sitemap
    from django.contrib.sitemaps import views
    from django.test import RequestFactory
    from imagepipe.assets.models import Asset
    class Pictures(Sitemap):
        limit = 50_000
        protocol = "http"
        def items(self):
            return Asset.objects.order_by("pk")
        def location(self, item):
            return f"/pictures/{item.uid.hex}/"
        def lastmod(self, item):
            return item.created_at
        def get_domain(self, site=None):
            return "testserver"
    def get(number):
        request = RequestFactory().get("/s.xml", {"p": number})
        answer = views.sitemap(request, {"a": Pictures}, section="a")
        return [answer.render().content]
    names = range(1, Pictures().paginator.num_pages + 1)
else:
    from lxml import etree
    index = client.get("/sitemap-images.xml")
    written = index.getvalue()
    (folder / "index.xml").write_bytes(written)
    tree = etree.fromstring(written)
    space = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
    addresses = [loc.text for loc in tree.iter(space + "loc")]
    if tree.tag == space + "urlset":
        addresses = ["http://testserver/sitemap-images.xml"]
    def get(address):
        return client.get(address.removeprefix("http://testserver")).streaming_content
    names = addresses
client.get("/robots.txt")
before, cpu, wall = peak(), time.process_time(), time.perf_counter()
if kind != "django":
    cache.clear()
    b"".join(client.get("/sitemap-images.xml").streaming_content)
size = files = 0
for number, name in enumerate(names):
    with (folder / f"{kind}-{number}.xml").open("wb") as file:
        for piece in get(name):
            size += file.write(piece)
    files += 1
print(json.dumps({"files": files, "megabytes": round(size / 1e6, 1),
    "cpu_s": round(time.process_time() - cpu, 1),
    "wall_s": round(time.perf_counter() - wall, 1),
    "rss_mb_before": round(before), "rss_mb": round(peak())}))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=200_000)
    parser.add_argument("--pictures", type=int, default=5, help="on each page")
    parser.add_argument("--work", type=Path, help="folder to keep")
    arguments = parser.parse_args()
    if arguments.work is not None:
        arguments.work.mkdir(parents=True, exist_ok=True)
        measure(arguments.work.resolve(), arguments.pages, arguments.pictures)
        return
    with tempfile.TemporaryDirectory() as name:
        measure(Path(name), arguments.pages, arguments.pictures)


def measure(folder: Path, pages: int, pictures: int) -> None:
    filled = folder / "filled.json"
    if not filled.exists():
        began = time.perf_counter()
        filled.write_text(json.dumps(run(folder, FILL, pages, pictures)))
        print(f"filled in {time.perf_counter() - began:.0f} s", flush=True)
    print(filled.read_text(), flush=True)
    for kind in ("django", "imagepipe"):
        print(kind, run(folder, WRITE, kind, folder), flush=True)
    print("valid:", validate(folder / "index.xml", sorted(folder.glob("imagepipe-*.xml"))))


def run(folder: Path, code: str, *arguments: object) -> dict[str, float]:
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "website.settings.demo",
        "IMAGEPIPE_VAR": str(folder),
        "PYTHONPATH": os.pathsep.join(map(str, (REPOSITORY, REPOSITORY / "site"))),
    }
    command = [sys.executable, "-c", "import django; django.setup()\n" + code]
    done = subprocess.run(
        [*command, *map(str, arguments)],
        env=environment,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def validate(index: Path, files: list[Path]) -> dict[str, int]:
    """Validate every file; returns how many pages and pictures they list."""
    from lxml import etree

    tree = etree.parse(index)
    if len(files) > 1:
        etree.XMLSchema(etree.parse(SCHEMAS / "siteindex.xsd")).assertValid(tree)
        if len(tree.getroot()) != len(files):
            raise SystemExit(f"the index lists {len(tree.getroot())} of {len(files)} files")

    schema = etree.XMLSchema(etree.parse(SCHEMAS / "sitemap.xsd"))
    counts = {"files": len(files), "pages": 0, "pictures": 0}
    for path in files:
        if path.stat().st_size > 50_000_000:
            raise SystemExit(f"{path.name} is larger than 50 MB")
        tree = etree.parse(path)
        schema.assertValid(tree)
        counts["pages"] += sum(1 for _ in tree.iter("{*}url"))
        counts["pictures"] += sum(1 for _ in tree.iter("{*}image"))
    return counts


if __name__ == "__main__":
    main()
