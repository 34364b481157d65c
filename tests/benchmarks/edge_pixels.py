"""The edge's pixels beside those of others, in the same run.

    python -m tests.benchmarks.edge_pixels WORK [--rounds 12]

WORK keeps the photographs and the peers' environments. A round asks everybody for every
picture once, in turn; a ratio is formed inside a round, and the table has the median of the
rounds with a 95 % interval (bootstrap). CPU time counts, not the clock.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import random
import statistics
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

from edge.encode import Effort, save
from edge.render import Base, Limits, read_header, render
from edge.similarity import Reference
from edge.vips import pyvips
from imagepipe.credentials import (
    CredentialSigner,
    SigningIdentity,
    create_development_identities,
)
from imagepipe.grants import (
    FeedDocument,
    Grant,
    GrantedVersion,
    create_key_files,
    feed_path,
    grant_path,
    load_signing_key,
    master_path,
    parent_path,
    seal,
    shard_of,
)
from imagepipe.urlspec import ImagePath, Keyring, Transform, sign_path
from tests.benchmarks.peers import Server, Willow, edge, thumbor
from tests.benchmarks.photographs import fetch, photographs

NAMES = ("Path", "LadyBird", "EveningGlow", "Kleiber_by_Lukas_Baubkus")
MEGAPIXELS = {"p2": 2, "p12": 12}
LIMITS = Limits(150_000_000, 30_000)
LADDER = (320, 480, 640, 800, 1200, 1600)
Rounds = dict[str, list[float]]


class Storage:
    """A delivery folder with the pictures, as the CMS would write it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for name in ("storage", "keys", "identities"):
            (root / name).mkdir(parents=True, exist_ok=True)
        self.keyring = Keyring.generate()
        (root / "keys/url.json").write_text(self.keyring.to_json())
        create_key_files(root / "keys/grant.pem", root / "keys/grants.json")
        self.key = load_signing_key(root / "keys/grant.pem")
        create_development_identities(root / "identities")
        identity = SigningIdentity.load(root / "identities/edge")
        self.signer = CredentialSigner(identity)
        self.versions: dict[Path, tuple[str, str]] = {}

    def publish(self, path: Path) -> None:
        data = path.read_bytes()
        sha256 = hashlib.sha256(data).hexdigest()
        asset, image = sha256[:32], pyvips.Image.new_from_buffer(data, "")
        now = int(time.time())
        version = GrantedVersion(
            sha256,
            "image/jpeg",
            image.width,
            image.height,
            len(data),
            "published",
            source_type="http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture",
            credit={"title": path.stem, "rights": "CC", "creator": "Somebody"},
        )
        grant = Grant(asset, 1, now, now + 86_400, "picture", (version,))
        shard = shard_of(asset)
        feed = FeedDocument(shard).appended(asset, 1, now, ())
        self._write(master_path(sha256), data)
        self._write(
            parent_path(sha256), self.signer.prepare_parent(data, "image/jpeg").to_bytes()
        )
        self._write(grant_path(asset), seal(grant.to_dict(), self.key, "g1"))
        self._write(feed_path(shard), seal(feed.to_dict(), self.key, "g1"))
        self.versions[path] = asset, sha256[:16]

    def url(self, path: Path, transform: Transform, extension: str) -> str:
        asset, version = self.versions[path]
        return sign_path(
            ImagePath(transform, asset, version, "picture", extension),  # type: ignore[arg-type]
            self.keyring,
        )

    def environ(self, cache: str) -> dict[str, str]:
        return {
            "IMAGEPIPE_EDGE_STORAGE": str(self.root / "storage"),
            "IMAGEPIPE_EDGE_CACHE": str(self.root / cache),
            "IMAGEPIPE_EDGE_URL_KEYS": str(self.root / "keys/url.json"),
            "IMAGEPIPE_EDGE_GRANT_KEYS": str(self.root / "keys/grants.json"),
        }

    def _write(self, name: str, data: bytes) -> None:
        target = self.root / "storage" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)


def sources(work: Path) -> dict[str, list[Path]]:
    """Baseline JPEGs of 2 and 12 megapixels, quality 90."""
    fetch(work / "wallpapers")
    found = photographs(work / "wallpapers")
    made: dict[str, list[Path]] = defaultdict(list)
    for group, megapixels in MEGAPIXELS.items():
        for name in NAMES:
            target = work / "pictures" / group / f"{name}.jpg"
            target.parent.mkdir(parents=True, exist_ok=True)
            if not target.is_file():
                image = pyvips.Image.new_from_file(str(found[name]))
                scale = (megapixels * 1e6 / (image.width * image.height)) ** 0.5
                image.resize(scale, kernel="lanczos3").write_to_file(
                    f"{target}[Q=90,keep=none]"
                )
            made[group].append(target)
    return made


def cpu_of(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return (time.process_time() - started) * 1000


def raw(path: Path, width: int) -> None:
    image = pyvips.Image.thumbnail_buffer(path.read_bytes(), width)
    image.jpegsave_buffer(Q=80, keep="none")


def misses(
    work: Path, storage: Storage, pictures: dict[str, list[Path]], rounds: int
) -> Rounds:
    plain = edge(work, storage.environ("plain"), settle="no")
    marked = edge(
        work,
        storage.environ("marked"),
        settle="no",
        identity=str(storage.root / "identities/edge"),
    )
    other, willow = thumbor(work, work / "pictures"), Willow(work)
    samples: Rounds = defaultdict(list)
    try:
        for number in range(rounds + 1):
            # The first round warms everybody up and does not count.
            width = 790 + number
            for group, paths in pictures.items():
                measures: list[tuple[str, Callable[[], float]]] = [
                    ("raw", lambda p=paths, w=width: cpu_of(lambda: [raw(x, w) for x in p])),
                    ("edge", lambda p=paths, w=width: ask(plain, storage, p, w, "jpg")),
                    (
                        "edge, marked",
                        lambda p=paths, w=width: ask(marked, storage, p, w, "jpg"),
                    ),
                    ("thumbor", lambda p=paths, w=width: ask_thumbor(other, p, w, "jpeg")),
                    (
                        "Willow",
                        lambda p=paths, w=width: willow.cpu(
                            lambda: [willow.draw(x, w, "jpeg", 80) for x in p]
                        ),
                    ),
                ]
                if group == "p2":
                    measures += [
                        (
                            "edge avif",
                            lambda p=paths, w=width: ask(plain, storage, p, w, "avif"),
                        ),
                        (
                            "thumbor avif",
                            lambda p=paths, w=width: ask_thumbor(other, p, w, "avif"),
                        ),
                    ]
                random.Random(number).shuffle(measures)
                for name, measure in measures:
                    spent = measure() / len(paths)
                    if number:
                        samples[f"{group} {name}"].append(spent)
    finally:
        for server in (plain, marked, other, willow):
            server.stop()
    return samples


def ask(server: Server, storage: Storage, paths: list[Path], width: int, kind: str) -> float:
    urls = [storage.url(path, Transform(width), kind) for path in paths]
    return server.cpu(lambda: [server.get(url) for url in urls])


def ask_thumbor(server: Server, paths: list[Path], width: int, kind: str) -> float:
    return server.cpu(lambda: [server.get(thumbor_url(path, width, kind)) for path in paths])


def thumbor_url(path: Path, width: int, kind: str, quality: int | None = None) -> str:
    filters = f"format({kind})" + (f":quality({quality})" if quality else "")
    return f"/unsafe/{width}x0/filters:{filters}/{path.parent.name}/{path.name}"


def ladder(pictures: list[Path], rounds: int) -> Rounds:
    samples: Rounds = defaultdict(list)
    quick = Effort.fast()
    for path in pictures:
        data = path.read_bytes()
        header = read_header(data, LIMITS)

        def alone(encodes: bool, data=data, header=header) -> None:
            for width, kind in itertools.product(LADDER, ("jpg", "webp")):
                image, _ = render(data, header, Transform(width))
                if encodes:
                    save(image, kind, 78, quick)

        def together(encodes: bool, data=data, header=header) -> None:
            base = Base(data, header)
            for width in LADDER:
                image, _ = render(data, header, Transform(width), base=base)
                for kind in ("jpg", "webp") if encodes else ():
                    save(image, kind, 78, quick)

        for _ in range(max(3, rounds // 4)):
            for encodes, name in ((False, "pixels"), (True, "encoded")):
                samples[f"{name}, alone"].append(cpu_of(lambda e=encodes, f=alone: f(e)))
                samples[f"{name}, together"].append(cpu_of(lambda e=encodes, f=together: f(e)))
    return samples


def equal_quality(
    storage: Storage, work: Path, pictures: list[Path], target: float
) -> list[str]:
    """CPU and bytes at the same SSIMULACRA2, interpolated between four qualities."""
    import numpy as np

    quick = edge(work, storage.environ("quality"), settle="no")
    careful = edge(work, storage.environ("careful"), settle="no", avif_effort="2")
    other = thumbor(work, work / "pictures")
    ours = {"jpg": (55, 70, 80, 92), "avif": (65, 77, 87, 97)}
    theirs = {"jpeg": (55, 70, 80, 92), "avif": (45, 58, 68, 80)}
    ways: list[tuple[str, Server, str, tuple[int, ...]]] = [
        ("edge JPEG", quick, "jpg", ours["jpg"]),
        ("edge AVIF, first (effort 0)", quick, "avif", ours["avif"]),
        ("edge AVIF, settled (effort 2)", careful, "avif", ours["avif"]),
        ("thumbor JPEG", other, "jpeg", theirs["jpeg"]),
        ("thumbor AVIF", other, "avif", theirs["avif"]),
    ]
    found: dict[str, list[tuple[float, float]]] = defaultdict(list)
    try:
        for path in pictures:
            whole = pyvips.Image.new_from_file(str(path))
            height = (2 * whole.height * 800 + whole.width) // (2 * whole.width)
            exact = whole.resize(800 / whole.width, vscale=height / whole.height)
            reference = Reference(exact.cast("uchar").copy_memory())
            for name, server, kind, qualities in ways:
                rows = []
                for quality in qualities:
                    url = thumbor_url(path, 800, kind, quality)
                    if server is not other:
                        url = storage.url(path, Transform(800, quality=quality), kind)
                    bodies: list[bytes] = []
                    spent = server.cpu(lambda u=url, s=server, b=bodies: b.append(s.get(u)))
                    image = pyvips.Image.new_from_buffer(bodies[0], "").colourspace("srgb")
                    if image.height != height:
                        image = image.thumbnail_image(800, height=height, size="force")
                    rows.append((reference.score(image.copy_memory()), len(bodies[0]), spent))
                rows.sort()
                score, size, spent_all = (
                    np.array(column, float) for column in zip(*rows, strict=True)
                )
                found[name].append(
                    (
                        float(np.exp(np.interp(target, score, np.log(size)))),
                        float(np.interp(target, score, spent_all)),
                    )
                )
    finally:
        for server in (quick, careful, other):
            server.stop()
    base = found["edge JPEG"]
    lines = []
    for name, rows in found.items():
        share = statistics.mean(row[0] / one[0] for row, one in zip(rows, base, strict=True))
        cpu = statistics.mean(row[1] for row in rows)
        lines.append(f"| {name} | {share:.2f} | {cpu:.0f} |")
    return lines


def interval(values: list[float]) -> tuple[float, float, float]:
    """Median and its 95 % bootstrap interval."""
    source = random.Random(1)
    medians = sorted(
        statistics.median(source.choices(values, k=len(values))) for _ in range(2000)
    )
    return statistics.median(values), medians[50], medians[1949]


def ratio(samples: Rounds, name: str, base: str) -> str:
    pairs = [a / b for a, b in zip(samples[name], samples[base], strict=True)]
    middle, low, high = interval(pairs)
    return f"{middle:.2f} ({low:.2f}–{high:.2f}; {len(pairs)})"


def main(work: Path, rounds: int) -> None:
    work.mkdir(parents=True, exist_ok=True)
    pictures = sources(work)
    storage = Storage(work / f"run-{int(time.time())}")
    for path in itertools.chain(*pictures.values()):
        storage.publish(path)
    samples = misses(work, storage, pictures, rounds)
    print("\n| misses, CPU per request | median ms |\n|---|---|")
    for name, values in samples.items():
        print(f"| {name} | {statistics.median(values):.1f} |")
    print("\n| ratio of CPU | median (95 %; rounds) |\n|---|---|")
    for group in pictures:
        for other in ("raw", "thumbor", "Willow"):
            found = ratio(samples, f"{group} edge", f"{group} {other}")
            print(f"| {group}: edge / {other} | {found} |")
    print(f"| p2 AVIF: edge / thumbor | {ratio(samples, 'p2 edge avif', 'p2 thumbor avif')} |")
    steps = ladder(pictures["p12"], rounds)
    print("\n| ladder of six widths and two formats from 12 MP | alone / together |\n|---|---|")
    for name in ("pixels", "encoded"):
        print(f"| {name} | {ratio(steps, f'{name}, alone', f'{name}, together')} |")
    print("\n| at SSIMULACRA2 72, 800 px | bytes, of edge JPEG | CPU ms |\n|---|---|---|")
    print("\n".join(equal_quality(storage, work, pictures["p2"], 72)))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("work", type=Path)
    parser.add_argument("--rounds", type=int, default=12)
    options = parser.parse_args()
    main(options.work, options.rounds)
