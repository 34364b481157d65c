"""Start an installed edge and look at one picture that it delivers."""

from __future__ import annotations

import hashlib
import io
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from pathlib import Path
from urllib.parse import urljoin

from PIL import Image, ImageDraw

from imagepipe.credentials import (
    CredentialSigner,
    SigningIdentity,
    SourceType,
    create_development_identities,
    verify,
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

KINDS = {"image/avif": "AVIF", "image/webp": "WEBP", "image/jpeg": "JPEG"}
SOURCE = str(SourceType.TRAINED_ALGORITHMIC_MEDIA)


def publish(folder: Path) -> tuple[str, dict[str, str]]:
    """Write keys, one master, its grant and feed; return its address and the environment."""
    storage, keys, identities = folder / "storage", folder / "keys", folder / "identities"
    keys.mkdir()
    create_development_identities(identities)
    keyring = Keyring.generate()
    (keys / "url-keys.json").write_text(keyring.to_json())
    create_key_files(keys / "grant-key.pem", keys / "grant-keys.json")
    signer = CredentialSigner(SigningIdentity.load(identities / "cms"))
    master = signer.sign_created(
        _drawing(),
        "image/png",
        title="Harbour",
        generator="check",
        model="check",
        recipe_sha256="0" * 64,
        source_type=SOURCE,
    )
    sha256, asset, now = hashlib.sha256(master).hexdigest(), uuid.uuid4().hex, int(time.time())
    version = GrantedVersion(
        sha256=sha256,
        mime="image/png",
        width=640,
        height=480,
        bytes=len(master),
        state="published",
        source_type=SOURCE,
        credit={"title": "Harbour"},
    )
    grant = Grant(asset, 1, now, now + 3600, "harbour", (version,))
    feed = FeedDocument(shard_of(asset)).appended(asset, 1, now, ())
    key = load_signing_key(keys / "grant-key.pem")
    files = {
        master_path(sha256): master,
        parent_path(sha256): signer.prepare_parent(master, "image/png").to_bytes(),
        grant_path(asset): seal(grant.to_dict(), key, "g1"),
        feed_path(feed.shard): seal(feed.to_dict(), key, "g1"),
    }
    for name, content in files.items():
        (storage / name).parent.mkdir(parents=True, exist_ok=True)
        (storage / name).write_bytes(content)
    path = ImagePath(parse_transform("w_320"), asset, sha256[:16], "harbour", "auto")
    return sign_path(path, keyring), {
        "IMAGEPIPE_EDGE_STORAGE": str(storage),
        "IMAGEPIPE_EDGE_CACHE": str(folder / "cache"),
        "IMAGEPIPE_EDGE_URL_KEYS": str(keys / "url-keys.json"),
        "IMAGEPIPE_EDGE_GRANT_KEYS": str(keys / "grant-keys.json"),
        "IMAGEPIPE_EDGE_IDENTITY": str(identities / "edge"),
    }


ANNOUNCED = re.compile(r'<([^>]+)>; ?rel="c2pa-manifest"')


def look(address: str, root: bytes) -> None:
    for mime, name in KINDS.items():
        request = urllib.request.Request(address, headers={"Accept": mime})  # noqa: S310
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            body, seen = answer.read(), answer.headers.get_content_type()
            beside = ANNOUNCED.search(answer.headers["Link"] or "")
        assert beside, answer.headers  # noqa: S101 - a small picture
        with urllib.request.urlopen(urljoin(address, beside[1]), timeout=30) as answer:  # noqa: S310
            sidecar = answer.read()
        with Image.open(io.BytesIO(body)) as picture:
            assert (seen, picture.format, picture.size) == (mime, name, (320, 240))  # noqa: S101
        report = verify(body, mime, root, sidecar=sidecar)
        assert (report.state, report.source_type) == ("trusted", SOURCE), report  # noqa: S101
        print(f"{mime}: {len(body)} bytes, credential {report.state}")  # noqa: T201


def main() -> None:
    folder = Path.cwd()
    path, variables = publish(folder)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environ = {"PATH": os.environ["PATH"], "IMAGEPIPE_EDGE_PORT": str(port), **variables}
    command = [sys.executable, "-m", "edge"]
    subprocess.run([*command, "--check"], env=environ, check=True, timeout=60)  # noqa: S603
    with subprocess.Popen(command, env=environ) as process:  # noqa: S603
        try:
            _wait(process, f"http://127.0.0.1:{port}/readyz")
            look(
                f"http://127.0.0.1:{port}{path}", (folder / "identities/root.pem").read_bytes()
            )
        finally:
            process.terminate()
        assert process.wait(timeout=20) == 0  # noqa: S101


def _wait(process: subprocess.Popen[bytes], address: str) -> None:
    for _attempt in range(300):
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(address, timeout=5):  # noqa: S310
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise SystemExit("the edge did not start")


def _drawing() -> bytes:
    picture = Image.new("RGB", (640, 480), "navy")
    ImageDraw.Draw(picture).ellipse((120, 80, 520, 400), fill="gold")
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


if __name__ == "__main__":
    main()
