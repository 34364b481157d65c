"""Lighthouse and the W3C's checker on the demonstration's pages, beside Wagtail's own tags.

    python -m tests.benchmarks.page_quality WORK [--rounds 5]

Needs npm, Java and Chromium. WORK keeps the programs (from npm) and the demonstration, which
is prepared on the first call. The same pages are shown twice, by our tags and by Wagtail's,
and asked in turn; the median counts. Throttling is simulated (mobile profile). "Cold" is the
first visit after the edge's cache, or Wagtail's renditions, were emptied.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parents[2]
PAGES = {"landing page": "/en/", "article": "/en/up-there/", "gallery": "/en/twenty-things/"}
PROGRAMS = ("lighthouse@12", "vnu-jar@26")
CATEGORIES = ("performance", "seo", "accessibility")
FLAGS = "--headless=new --no-sandbox --disable-dev-shm-usage"
STARTED = "Ctrl-C stops everything."
KIB = 1024


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(command: list[str], environ: dict[str, str], log: Path) -> Iterator[None]:
    with (
        log.open("wb") as output,
        subprocess.Popen(
            command, cwd=PROJECT, env=os.environ | environ, stdout=output, stderr=output
        ) as process,
    ):
        try:
            yield
        finally:
            process.terminate()
            process.wait(60)


def until(ready: Any, seconds: float = 600) -> None:
    end = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > end:
            raise SystemExit("not ready in time; see the logs in the working folder")
        time.sleep(0.5)


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=60) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def lighthouse(work: Path, url: str) -> dict[str, Any]:
    """Scores 0 to 100, and what the visit cost."""
    report = work / "report.json"
    subprocess.run(
        [
            *(str(work / "node_modules/.bin/lighthouse"), url, "--quiet", "--output=json"),
            *(f"--output-path={report}", f"--chrome-flags={FLAGS}"),
            f"--only-categories={','.join(CATEGORIES)}",
        ],
        check=True,
        env=os.environ | {"CHROME_PATH": shutil.which("chromium") or ""},
        timeout=300,
    )
    told = json.loads(report.read_text())
    audits = told["audits"]
    requests = audits["network-requests"]["details"]["items"]
    pictures = [item for item in requests if item.get("resourceType") == "Image"]
    return {
        **{name: round(100 * told["categories"][name]["score"]) for name in CATEGORIES},
        "cls": audits["cumulative-layout-shift"]["numericValue"],
        "lcp": audits["largest-contentful-paint"]["numericValue"] / 1000,
        "kib": sum(item["transferSize"] for item in requests) / KIB,
        "picture_kib": sum(item["transferSize"] for item in pictures) / KIB,
        "requests": len(requests),
        "discovered": discovered(audits),
        "addresses": [item["url"] for item in pictures],
    }


def is_settled(url: str) -> bool:
    """Whether the edge has its final bytes: first answers live a minute."""
    with urllib.request.urlopen(url, timeout=60) as answer:
        return "max-age=60," not in answer.headers.get("Cache-Control", "")


def discovered(audits: dict[str, Any]) -> bool | None:
    """Whether the largest picture stands in the first HTML; None where it is no picture."""
    for item in audits["lcp-discovery-insight"].get("details", {}).get("items", []):
        if item.get("type") == "checklist":
            return bool(item["items"]["requestDiscoverable"]["value"])
    return None


def median(visits: list[dict[str, Any]]) -> dict[str, Any]:
    found = {
        name: statistics.median(float(visit[name]) for visit in visits)
        for name in visits[0]
        if name not in ("discovered", "addresses")
    }
    return {**found, "discovered": all(visit["discovered"] is not False for visit in visits)}


def row(tags: str, page: str, when: str, found: dict[str, Any]) -> str:
    return (
        f"| {page} | {tags} | {when} | {found['performance']:.0f} | {found['seo']:.0f} | "
        f"{found['accessibility']:.0f} | {found['cls']:.2f} | {found['lcp']:.1f} | "
        f"{'yes' if found['discovered'] else 'no'} | {found['requests']:.0f} | "
        f"{found['picture_kib']:.0f} | {found['kib']:.0f} |"
    )


def check_markup(work: Path, urls: list[str]) -> str:
    """What the Nu checker says that is an error or a warning; empty: all is valid."""
    files = []
    for number, url in enumerate(urls):
        path = work / f"page-{number}.html"
        with urllib.request.urlopen(url, timeout=60) as answer:
            path.write_bytes(answer.read())
        files.append(str(path))
    jar = work / "node_modules/vnu-jar/build/dist/vnu.jar"
    told = subprocess.run(
        ["java", "-jar", str(jar), "--format", "gnu", *files],
        check=False,
        capture_output=True,
        text=True,
        timeout=300,
    )
    lines = told.stderr.splitlines()
    # Safari takes the role from a list without bullets, so it stays.
    return "\n".join(line for line in lines if "The “list” role is unnecessary" not in line)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    work: Path = options.work.resolve()
    var = work / "var"
    var.mkdir(parents=True, exist_ok=True)
    if not (work / "node_modules/.bin/lighthouse").exists():
        npm = ["npm", "install", "--prefix", str(work), "--no-fund", "--no-audit", *PROGRAMS]
        subprocess.run(npm, check=True)
    port, edge_port, stock_port = free_port(), free_port(), free_port()
    demo = {
        "DJANGO_SETTINGS_MODULE": "website.settings.demo",
        "IMAGEPIPE_VAR": str(var),
        "PYTHONUNBUFFERED": "1",
    }
    stock = demo | {
        "DJANGO_SETTINGS_MODULE": "tests.benchmarks.stock_tags.settings",
        "IMAGEPIPE_EDGE_URL": f"http://127.0.0.1:{edge_port}",
        "IMAGEPIPE_BASE_URL": f"http://127.0.0.1:{stock_port}",
        "PYTHONPATH": os.pathsep.join((str(PROJECT / "site"), str(PROJECT))),
    }
    ours_url, stock_url = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{stock_port}"
    shutil.rmtree(var / "edge-cache", ignore_errors=True)
    log = work / "demo.log"
    start = [sys.executable, "manage.py", "demo", "--port", str(port)]
    serve = [
        *(sys.executable, "-m", "granian", "--interface", "asginl", "--no-ws"),
        *("--port", str(stock_port), "website.asgi:application"),
    ]
    with running([*start, "--edge-port", str(edge_port)], demo, log):
        until(lambda: STARTED in log.read_text())
        with running(serve, stock, work / "stock.log"):
            until(lambda: answers(stock_url + "/en/"))
            measure(work, {"imagepipe": ours_url, "Wagtail's": stock_url}, options.rounds)
            wrong = check_markup(work, [ours_url + path for path in PAGES.values()])
    print(f"\nThe Nu checker: {wrong or 'no error, no warning'}")


def measure(work: Path, sites: dict[str, str], rounds: int) -> None:
    print("| page | tags | | performance | SEO | accessibility | CLS | LCP s | "
          "LCP in HTML | requests | pictures KiB | all KiB |")  # fmt: skip
    print("|---" * 12 + "|")
    for page, path in PAGES.items():
        for tags, url in sites.items():
            first = lighthouse(work, url + path)
            print(row(tags, page, "cold", first), flush=True)
            for address in first["addresses"]:
                until(lambda address=address: is_settled(address))
        visits: dict[str, list[dict[str, Any]]] = {tags: [] for tags in sites}
        for _ in range(rounds):
            for tags, url in sites.items():
                visits[tags].append(lighthouse(work, url + path))
        for tags in sites:
            print(row(tags, page, f"warm, {rounds}", median(visits[tags])), flush=True)


if __name__ == "__main__":
    main()
