"""Configuration from environment variables, checked at start."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final

from edge import config_readers as to
from edge.config_readers import ConfigError

PREFIX: Final = "IMAGEPIPE_EDGE_"
#: prometheus-client shares numbers between processes here, if set before it is imported.
METRICS_FOLDER: Final = "PROMETHEUS_MULTIPROC_DIR"
#: What pictures tell besides their pixels.
POLICIES: Final = ("marking", "rights", "all")
REQUIRED: Final = ("storage", "cache", "url_keys", "grant_keys")


def _option(help_text: str, read: Callable[[str], Any], default: Any = None) -> Any:
    return field(default=default, metadata={"help": help_text, "read": read})


def _required(help_text: str, read: Callable[[str], Any] = to.path) -> Any:
    return field(metadata={"help": help_text, "read": read})


@dataclass(frozen=True)
class EdgeConfig:
    """Every setting; the variable is the upper-case name with `IMAGEPIPE_EDGE_` before it."""

    storage: Path | str = _required(
        "folder with grants, feed, masters and credentials; or s3://, gs://, az:// or https://",
        to.storage,
    )
    cache: Path = _required("folder for finished pictures; may be emptied at any time")
    url_keys: Path = _required("JSON file with the keys that sign addresses")
    grant_keys: Path = _required("JSON file with the public keys that sign grants")
    identity: Path | None = _option(
        "folder with chain.pem and key.pem; without it pictures carry no content credentials",
        to.path,
    )
    purge_key: Path | None = _option(
        "file with the secret that signs purges and debug requests; without it there are none",
        to.path,
    )
    placed: Path | None = _option(
        "folder on the same disk where nginx finds finished pictures by their address", to.path
    )
    placed_bytes: int = _option(
        "disk for pictures placed for nginx", to.integer(0), 4 * 1024**3
    )
    socket: Path | None = _option("Unix socket to listen on instead of a port", to.path)
    origin_hosts: tuple[str, ...] = _option(
        "hosts that an http storage may redirect to, besides its own; separated by commas",
        to.hosts,
        (),
    )
    origin_private: bool = _option(
        "whether an http storage may lie in a private network", to.yes, False
    )
    origin_timeout: float = _option(
        "longest wait for one file of a remote storage", to.seconds(0.1, 60), 10.0
    )
    host: str = _option("address to listen on", to.printable, "127.0.0.1")
    port: int = _option("port to listen on", to.integer(1, 65535), 8001)
    workers: int = _option("processes", to.integer(1, 256), 1)
    threads: int = _option("threads per process that answer requests", to.integer(4, 1024), 64)
    renderers: int = _option(
        "pictures made at once per process", to.integer(1, 256), min(4, os.cpu_count() or 1)
    )
    deadline: float = _option(
        "longest wait for a picture to be made, then 503", to.seconds(0.05, 120), 15.0
    )
    max_age: int = _option("seconds that browsers may keep a picture", to.integer(0), 3600)
    shared_max_age: int = _option(
        "seconds that shared caches may keep a picture", to.integer(0), 3600
    )
    stale_while_revalidate: int = _option(
        "seconds that caches may show an old picture while they fetch anew", to.integer(0), 0
    )
    stale_if_error: int = _option(
        "seconds that caches may show an old picture when the edge fails", to.integer(0), 0
    )
    immutable: bool = _option("tell browsers never to ask again", to.yes, False)
    poll: float = _option("seconds between two looks at the feed", to.seconds(0.05, 5), 2.0)
    recheck: float = _option(
        "seconds that an answer from memory is repeated before its grant is looked at",
        to.seconds(0, 5),
        0.1,
    )
    grace: int = _option(
        "seconds that a grant counts past its freshness", to.integer(0, 7 * 86400), 3600
    )
    max_source_bytes: int = _option("largest master", to.integer(1), 128 * 1024 * 1024)
    max_source_pixels: int = _option("most pixels of a master", to.integer(1), 150_000_000)
    max_source_side: int = _option("longest side of a master, pixels", to.integer(1), 30_000)
    max_frames: int = _option("most frames of an animation", to.integer(1, 10_000), 300)
    max_animation_pixels: int = _option(
        "most pixels of all frames together; above it, the first frame is shown",
        to.integer(0, 1_000_000_000),
        25_000_000,
    )
    memory_bytes: int = _option("memory for finished pictures", to.integer(0), 32 * 1024 * 1024)
    disk_bytes: int = _option("disk for finished pictures", to.integer(0), 4 * 1024**3)
    avif_effort: int = _option("0 (fast) to 9", to.integer(0, 9), 0)
    webp_effort: int = _option("0 (fast) to 6", to.integer(0, 6), 2)
    settle: bool = _option(
        "yes makes better bytes in the background; no keeps the first ones", to.yes, True
    )
    quality_target: int = _option(
        "SSIMULACRA2 that settled pictures should reach; 0 keeps a fixed quality",
        to.integer(0, 95),
        70,
    )
    settled_avif_effort: int = _option("0 (fast) to 9, in the background", to.integer(0, 9), 3)
    settled_webp_effort: int = _option("0 (fast) to 6, in the background", to.integer(0, 6), 4)
    embed_from: int = _option(
        "bytes of a picture from which its content credential is inside; below, beside it",
        to.integer(0),
        100_000,
    )
    embed_most: int = _option(
        "bytes of a content credential up to which it is inside; a longer one is always beside",
        to.integer(0),
        9_000,
    )
    metadata: str = _option(
        "metadata in pictures: marking (what the law asks for), rights (and credit, from the"
        " grant) or all (and what the camera wrote, positions included)",
        to.one_of(*POLICIES),
        "rights",
    )
    market_header: str = _option(
        "request header that names the visitor's market, set by a trusted proxy",
        to.printable,
        "",
    )
    test_market: str = _option(
        "market of every visitor, whatever a header says; to try out limits of markets",
        to.market,
        "",
    )
    channel: str = _option("channel this edge serves", to.printable, "web")
    url: str = _option(
        "public address of this edge; without it, the host that a request names", to.web, ""
    )
    client_header: str = _option(
        "request header that names the visitor's address, set by a trusted proxy",
        to.printable,
        "",
    )
    iiif: bool = _option(
        "answer IIIF addresses of pictures that are open to viewers", to.yes, True
    )
    iiif_max_side: int = _option(
        "longest side of a picture by IIIF, pixels", to.integer(512, 65_536), 4096
    )
    iiif_max_area: int = _option(
        "most pixels of a picture by IIIF", to.integer(512 * 512, 100_000_000), 4096 * 4096
    )
    iiif_upscale: bool = _option("enlarge pictures by IIIF, up to these limits", to.yes, False)
    iiif_disk_bytes: int = _option("disk for IIIF tiles and sizes", to.integer(0), 1024**3)
    iiif_rate: int = _option(
        "pictures by IIIF that one visitor may have made per second and process",
        to.integer(1, 100_000),
        20,
    )
    iiif_burst: int = _option("the same at once, after a pause", to.integer(1, 1_000_000), 200)
    old_libraries: bool = _option(
        "start although the version of a library has known advisories, because the distribution"
        " mended it without another number",
        to.yes,
        False,
    )
    confine: bool = _option(
        "let the kernel refuse workers what no edge needs, such as starting programs",
        to.yes,
        True,
    )
    access_log: str = _option(
        "requests that are logged: all, misses (what memory could not answer) or none",
        to.one_of("all", "misses", "none"),
        "misses",
    )

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> EdgeConfig:
        """Raises ConfigError naming the variable, also for variables that do not exist."""
        known = {variable(item.name): item for item in fields(cls)}
        given = {name for name in environ if name.startswith(PREFIX)}
        unknown = sorted(given - known.keys())
        if unknown:
            raise ConfigError(f"{unknown[0]} is not a setting; see python -m edge --help")
        values: dict[str, Any] = {}
        for name, item in known.items():
            text = environ.get(name, "").strip()
            if text:
                try:
                    values[item.name] = item.metadata["read"](text)
                except ConfigError as error:
                    raise ConfigError(f"{name} {error}") from None
            elif item.name in REQUIRED:
                raise ConfigError(f"{name} is not set: {item.metadata['help']}")
        return cls(**values)

    def check(self) -> None:
        """Look at the files and folders. Raises ConfigError."""
        if isinstance(self.storage, Path) and not self.storage.is_dir():
            raise ConfigError(f"{variable('storage')}: {self.storage} is not a folder")
        for name in ("url_keys", "grant_keys"):
            path = getattr(self, name)
            if not path.is_file():
                raise ConfigError(f"{variable(name)}: {path} is not a file")
        if self.purge_key is not None and not self.purge_key.is_file():
            raise ConfigError(f"{variable('purge_key')}: {self.purge_key} is not a file")
        if self.identity is not None and not self.identity.is_dir():
            raise ConfigError(f"{variable('identity')}: {self.identity} is not a folder")
        try:
            self.cache.mkdir(parents=True, exist_ok=True)
            probe = self.cache / f".probe-{os.getpid()}"
            probe.touch()
            probe.unlink()
        except OSError as error:
            raise ConfigError(
                f"{variable('cache')}: {self.cache} cannot be written: {error.strerror}"
            ) from None


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return PREFIX + name.upper()


def describe() -> str:
    """All variables with their meaning and default, for people."""
    lines = []
    for item in fields(EdgeConfig):
        default = "" if item.default in (None, "", ()) else f" (default {item.default})"
        if item.name in REQUIRED:
            default = " (required)"
        lines.append(f"  {variable(item.name)}\n      {item.metadata['help']}{default}")
    return "\n".join(lines)
