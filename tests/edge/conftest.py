"""A delivery folder as a publisher would leave it, and an edge in front of it."""

from __future__ import annotations

import hashlib
import io
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import skimage.data
from PIL import Image

from edge.app import Edge
from edge.config import Config
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

ASSET = "0123456789abcdef0123456789abcdef"
YEAR = 365 * 86400


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def reason(self) -> str:
        return str(json.loads(self.body)["reason"])

    @property
    def image(self) -> Image.Image:
        return Image.open(io.BytesIO(self.body))


class Clock:
    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now


class Publisher:
    """Writes grants, feeds, masters and parents, signed with its own keys."""

    def __init__(self, folder: Path, credentials: Path) -> None:
        self.folder, self.storage = folder, folder / "storage"
        self.storage.mkdir(parents=True)
        self.credentials = credentials
        self.keyring = Keyring.generate()
        (folder / "url-keys.json").write_text(self.keyring.to_json())
        create_key_files(folder / "grant-key.pem", folder / "grant-keys.json")
        self.key = load_signing_key(folder / "grant-key.pem")
        self.signer = CredentialSigner(SigningIdentity.load(credentials / "cms"))
        self.feeds: dict[int, FeedDocument] = {}

    def write(self, name: str, data: bytes) -> None:
        path = self.storage / name
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(path.name + ".new")
        temporary.write_bytes(data)
        os.replace(temporary, path)

    def master(self, picture: Image.Image, *, parent: bool = True) -> GrantedVersion:
        buffer = io.BytesIO()
        picture.save(buffer, "PNG")
        data = self.signer.sign_created(
            buffer.getvalue(),
            "image/png",
            title="Cat",
            generator="imagepipe",
            model="sketch",
            recipe_sha256="0" * 64,
            source_type=SourceType.TRAINED_ALGORITHMIC_MEDIA,
        )
        return self.store(data, "image/png", picture.size, parent=parent)

    def store(
        self, data: bytes, mime: str, size: tuple[int, int], *, parent: bool = False
    ) -> GrantedVersion:
        sha256 = hashlib.sha256(data).hexdigest()
        self.write(master_path(sha256), data)
        if parent:
            prepared = self.signer.prepare_parent(data, mime, title="Cat")
            self.write(parent_path(sha256), prepared.to_bytes())
        return GrantedVersion(
            sha256=sha256,
            mime=mime,
            width=size[0],
            height=size[1],
            bytes=len(data),
            state="published",
            focal=(0.25, 0.5),
            source_type=str(SourceType.TRAINED_ALGORITHMIC_MEDIA),
            credit={"title": "Cat", "creator": "Studio", "alt": "A cat", "credit": "Studio"},
        )

    def publish(
        self, *versions: GrantedVersion, sequence: int = 1, feed: bool = True, **values: Any
    ) -> Grant:
        now = int(time.time())
        grant = Grant(
            asset=ASSET,
            sequence=sequence,
            issued_at=now,
            valid_until=now + YEAR,
            slug="cat",
            versions=versions,
            tags=(f"asset-{ASSET}", "collection-1"),
        )
        grant = replace(grant, **values)
        self.write(grant_path(ASSET), seal(grant.to_dict(), self.key, "g1"))
        if feed:
            self.announce(grant)
        return grant

    def announce(self, grant: Grant) -> None:
        shard = shard_of(grant.asset)
        known = self.feeds.get(shard, FeedDocument(shard))
        document = known.appended(grant.asset, grant.sequence, grant.issued_at, grant.tags)
        self.feeds[shard] = document
        self.write(feed_path(shard), seal(document.to_dict(), self.key, "g1"))

    def url(
        self,
        version: GrantedVersion,
        transform: str = "w_320",
        extension: str = "auto",
        expires: int | None = None,
    ) -> str:
        path = ImagePath(
            parse_transform(transform),
            ASSET,
            version.sha256[:16],
            "cat",
            extension,  # type: ignore[arg-type]
            expires,
        )
        return sign_path(path, self.keyring)

    def config(self, **values: Any) -> Config:
        config = Config(
            storage=self.storage,
            cache=self.folder / "cache",
            url_keys=self.folder / "url-keys.json",
            grant_keys=self.folder / "grant-keys.json",
            identity=self.credentials / "edge",
        )
        return replace(config, **values)


class Client:
    """Calls the WSGI application as a server would."""

    def __init__(self, edge: Edge, clock: Clock) -> None:
        self.edge, self.clock = edge, clock

    def get(self, url: str, method: str = "GET", **headers: str) -> Answer:
        environ = {"REQUEST_METHOD": method, "PATH_INFO": url}
        environ |= {f"HTTP_{name.upper()}": value for name, value in headers.items()}
        found: dict[str, Any] = {}

        def start_response(status: str, headers: list[tuple[str, str]]) -> None:
            found.update(status=int(status[:3]), headers=dict(headers))

        body = b"".join(self.edge(environ, start_response))
        return Answer(found["status"], found["headers"], body)


@pytest.fixture(scope="session")
def credentials(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("credentials")
    create_development_identities(folder)
    return folder


@pytest.fixture(scope="session")
def cat() -> Image.Image:
    return Image.fromarray(skimage.data.chelsea())  # 451 x 300


@pytest.fixture
def publisher(tmp_path: Path, credentials: Path) -> Publisher:
    return Publisher(tmp_path / "publisher", credentials)


@pytest.fixture
def version(publisher: Publisher, cat: Image.Image) -> GrantedVersion:
    version = publisher.master(cat)
    publisher.publish(version)
    return version


@pytest.fixture
def make_client(publisher: Publisher) -> Callable[..., Client]:
    def make(**values: Any) -> Client:
        clock = Clock()
        edge = Edge(publisher.config(**values), clock)
        edge.follower.poll()
        return Client(edge, clock)

    return make


@pytest.fixture
def client(version: GrantedVersion, make_client: Callable[..., Client]) -> Client:
    return make_client()
