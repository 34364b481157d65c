"""A delivery folder with real pictures, keys and grants, and two ways to ask an edge."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from email.message import Message
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest
from PIL import Image

from imagepipe.credentials import (
    CredentialSigner,
    SigningIdentity,
    SourceType,
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
from imagepipe.urlspec import ImagePath, Keyring, parse_transform, sign_path

PROJECT = Path(__file__).parents[2]
TRAINED = str(SourceType.TRAINED_ALGORITHMIC_MEDIA)
CHROME = "image/avif,image/webp,image/apng,image/*,*/*;q=0.8"


@dataclasses.dataclass
class Answer:
    """What an edge answered."""

    status: int
    headers: Message
    body: bytes

    def sidecar_of(self, path: str) -> str:
        """Where the Link header of this answer to a path leads."""
        match = re.fullmatch(r'<([^<>]+)>; rel="c2pa-manifest"', self.headers["Link"])
        assert match is not None
        return urljoin(path, match[1])

    @property
    def image(self) -> Image.Image:
        return Image.open(io.BytesIO(self.body))


class Delivery:
    """The publisher's side of the delivery storage."""

    def __init__(self, root: Path, identities: Path) -> None:
        self.root, self.identities = root, identities
        self.storage, self.cache, self.keys = root / "storage", root / "cache", root / "keys"
        self.storage.mkdir(parents=True)
        self.keys.mkdir()
        self.keyring = Keyring.generate()
        (self.keys / "url-keys.json").write_text(self.keyring.to_json())
        create_key_files(self.keys / "grant-key.pem", self.keys / "grant-keys.json")
        self.grant_key = load_signing_key(self.keys / "grant-key.pem")
        self.grants: dict[str, Grant] = {}
        self._feeds: dict[int, FeedDocument] = {}

    @property
    def environ(self) -> dict[str, str]:
        return {
            "IMAGEPIPE_EDGE_STORAGE": str(self.storage),
            "IMAGEPIPE_EDGE_CACHE": str(self.cache),
            "IMAGEPIPE_EDGE_URL_KEYS": str(self.keys / "url-keys.json"),
            "IMAGEPIPE_EDGE_GRANT_KEYS": str(self.keys / "grant-keys.json"),
            "IMAGEPIPE_EDGE_IDENTITY": str(self.identities / "edge"),
            "IMAGEPIPE_EDGE_POLL": "0.2",
            # What is told of the first answer holds for good; settling has tests of its own.
            "IMAGEPIPE_EDGE_SETTLE": "no",
            "IMAGEPIPE_EDGE_RECHECK": "0",
        }

    def write(self, name: str, data: bytes) -> None:
        path = self.storage / name
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f"{path.name}.part")
        temporary.write_bytes(data)
        os.replace(temporary, path)

    def version(
        self,
        data: bytes,
        mime: str = "image/jpeg",
        *,
        upright: tuple[int, int] | None = None,
        parent: bool = True,
        **values: Any,
    ) -> GrantedVersion:
        """Store a master (already signed or not) and describe it."""
        sha256 = hashlib.sha256(data).hexdigest()
        self.write(master_path(sha256), data)
        if parent:
            signer = CredentialSigner(SigningIdentity.load(self.identities / "edge"))
            prepared = signer.prepare_parent(data, mime)
            self.write(parent_path(sha256), prepared.to_bytes())
        width, height = upright or Image.open(io.BytesIO(data)).size
        values = {"state": "published", "source_type": TRAINED} | values
        values.setdefault(
            "credit", {"title": "Harbour", "alt": "Boats at night", "rights": "CC"}
        )
        return GrantedVersion(
            sha256=sha256, mime=mime, width=width, height=height, bytes=len(data), **values
        )

    def publish(
        self, *versions: GrantedVersion, asset: str | None = None, **values: Any
    ) -> str:
        """Write grant and feed; return the asset."""
        asset = asset or uuid.uuid4().hex
        before = self.grants.get(asset)
        now = int(time.time())
        grant = Grant(
            **{
                "asset": asset,
                "sequence": before.sequence + 1 if before else 1,
                "issued_at": now,
                "valid_until": now + 3600,
                "slug": "harbour",
                "versions": versions,
                "tags": (f"asset-{asset}", "collection-1"),
            }
            | values
        )
        self.write_grant(grant)
        self.write_feed(grant)
        return asset

    def write_grant(self, grant: Grant) -> None:
        self.grants[grant.asset] = grant
        self.write(grant_path(grant.asset), seal(grant.to_dict(), self.grant_key, "g1"))

    def write_feed(self, grant: Grant) -> None:
        shard = shard_of(grant.asset)
        feed = self._feeds.get(shard, FeedDocument(shard))
        feed = feed.appended(grant.asset, grant.sequence, grant.issued_at, grant.tags)
        self._feeds[shard] = feed
        self.write(feed_path(shard), seal(feed.to_dict(), self.grant_key, "g1"))

    def change(self, asset: str, **values: Any) -> None:
        """Publish the same versions with other values, e.g. state="withdrawn"."""
        versions = [
            dataclasses.replace(version, **values) for version in self.grants[asset].versions
        ]
        self.publish(*versions, asset=asset)

    def url(
        self,
        asset: str,
        transform: str = "w_320",
        extension: str = "jpg",
        *,
        version: int = 0,
        expires: int | None = None,
        slug: str = "harbour",
    ) -> str:
        prefix = self.grants[asset].versions[version].sha256[:16]
        path = ImagePath(parse_transform(transform), asset, prefix, slug, extension, expires)
        return sign_path(path, self.keyring)


@pytest.fixture(scope="session")
def identities(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("identities")
    create_development_identities(folder)
    return folder


@pytest.fixture
def delivery(tmp_path: Path, identities: Path) -> Delivery:
    return Delivery(tmp_path, identities)


def encoded(image: Image.Image, kind: str = "JPEG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.fixture(scope="session")
def photo() -> Image.Image:
    """A real photograph, 427x640 (scikit-image's rocket, turned and cut by nobody)."""
    from skimage import data

    return Image.fromarray(data.rocket())


@pytest.fixture(scope="session")
def master(photo: Image.Image, identities: Path) -> bytes:
    """The photograph as a signed, generated JPEG master."""
    signer = CredentialSigner(SigningIdentity.load(identities / "cms"))
    return signer.sign_created(
        encoded(photo, quality=92),
        "image/jpeg",
        title="Harbour",
        generator="diffusers 0.42",
        model="tiny",
        recipe_sha256="ab" * 32,
        source_type=TRAINED,
    )


Get = Callable[..., Answer]


@pytest.fixture
def make_edge(delivery: Delivery) -> Iterator[Callable[..., Get]]:
    """Start an edge inside this process; returns a function that asks it."""
    from edge.app import EdgeApp
    from edge.config import EdgeConfig

    apps: list[EdgeApp] = []

    def make(clock: Callable[[], float] = time.time, **settings: str) -> Get:
        extra = {f"IMAGEPIPE_EDGE_{name.upper()}": value for name, value in settings.items()}
        app = EdgeApp(EdgeConfig.from_environ(delivery.environ | extra), clock)
        apps.append(app)

        def get(path: str, method: str = "GET", query: str = "", **headers: str) -> Answer:
            environ: dict[str, Any] = {"wsgi.input": io.BytesIO()}
            environ |= {"REQUEST_METHOD": method, "PATH_INFO": path, "QUERY_STRING": query}
            environ |= {f"HTTP_{name.upper()}": value for name, value in headers.items()}
            seen: list[Any] = []
            body = b"".join(app(environ, lambda *args: seen.extend(args)))
            message = Message()
            for name, value in seen[1]:
                assert name not in message
                message[name] = value
            return Answer(int(seen[0].split()[0]), message, body)

        get.app = app  # type: ignore[attr-defined]
        return get

    yield make
    for app in apps:
        app.close()


@pytest.fixture
def get(make_edge: Callable[..., Get]) -> Get:
    return make_edge()


class Server:
    """A real `python -m edge` process."""

    def __init__(self, environ: dict[str, str], log: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.socket = environ.get("IMAGEPIPE_EDGE_SOCKET")
        clean = {k: v for k, v in os.environ.items() if not k.startswith("DJANGO")}
        self.log = log
        with open(log, "wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "edge"],
                cwd=PROJECT,
                env=clean | environ | {"IMAGEPIPE_EDGE_PORT": str(self.port)},
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        self._wait()

    def _wait(self) -> None:
        end = time.monotonic() + 30
        while time.monotonic() < end:
            if self.process.poll() is not None:
                break
            try:
                if self.socket is None:
                    if self.get("/readyz").status == 200:
                        return
                else:
                    with socket.socket(socket.AF_UNIX) as client:
                        client.connect(self.socket)
                    return
            except OSError:
                time.sleep(0.05)
        self.stop()
        raise AssertionError(f"the edge did not start:\n{self.log.read_text()}")

    def get(self, path: str, method: str = "GET", **headers: str) -> Answer:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}",
            method=method,
            headers={name.replace("_", "-"): value for name, value in headers.items()},
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return Answer(answer.status, answer.headers, answer.read())
        except urllib.error.HTTPError as error:
            return Answer(error.code, error.headers, error.read())

    def stop(self, number: int = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(timeout=20)


@pytest.fixture
def start_server(delivery: Delivery, tmp_path: Path) -> Iterator[Callable[..., Server]]:
    servers: list[Server] = []

    def start(**settings: str) -> Server:
        extra = {f"IMAGEPIPE_EDGE_{name.upper()}": value for name, value in settings.items()}
        server = Server(delivery.environ | extra, tmp_path / f"edge-{len(servers)}.log")
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.stop()
