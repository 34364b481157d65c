"""Models of a hub: which may be fetched, at which revision, and where they lie afterwards.

Nothing is fetched unless the setting ``HUB_MODELS`` names it. A revision is pinned to its
commit before the first weight is fetched. The address of the hub and the token are those of
``huggingface_hub``: ``HF_ENDPOINT`` and ``HF_TOKEN``.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from imagepipe.conf import get_settings
from imagepipe.exceptions import ImagepipeError
from imagepipe.registry.folders import INDEX, UnusableFolder
from imagepipe.registry.hub_files import choose_files

_ID = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}")
_REVISION = re.compile(r"[A-Za-z0-9][\w./-]{0,99}")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_WORD = re.compile(r"[a-z0-9_]{0,20}")
_CACHED = re.compile(r".*/models--(?P<owner>[^/]+?)--(?P<name>[^/]+)/snapshots/(?P<commit>\w+)")
LOOK_SECONDS = 90
PAUSE = 0.25
PASSED_ON = (
    "PATH", "HOME", "LANG", "TMPDIR", "SYSTEMROOT", "PYTHONPATH", "VIRTUAL_ENV",
    "LD_LIBRARY_PATH", "XDG_CACHE_HOME", "ALL_PROXY", "all_proxy", "CURL_CA_BUNDLE",
)  # fmt: skip
"""Of the environment, together with the prefixes below; secrets of the site stay here."""
PASSED_ON_PREFIXES = ("HF_", "SSL_", "HTTP", "http", "NO_", "no_", "REQUESTS_")

Reporter = Callable[[int, int], None]
"""Called with the bytes that are there and all bytes, a few times a second; may raise."""


class HubRefused(ImagepipeError):
    """The model is not, or may not be, fetched from the hub; the message says why."""

    code = "hub-refused"


@dataclass(frozen=True, slots=True)
class HubModel:
    """A model of a hub at one commit. ``files``: path to bytes, only what is fetched."""

    id: str
    commit: str
    files: Mapping[str, int]
    licence: str
    licence_url: str
    card: str

    @property
    def byte_count(self) -> int:
        return sum(self.files.values())


def is_hub_id(text: str) -> bool:
    """Whether this is written as ``owner/name``."""
    return bool(_ID.fullmatch(text)) and "--" not in text and ".." not in text


def check_allowed(id: str) -> None:
    """Raise :class:`HubRefused` unless ``HUB_MODELS`` names the id."""
    if not is_hub_id(id):
        raise HubRefused(_("“%(id)s” is no id of a model on a hub.") % {"id": id[:200]})
    if not any(fnmatchcase(id, pattern) for pattern in get_settings().HUB_MODELS):
        raise HubRefused(
            _(
                "“%(id)s” may not be fetched: the setting HUB_MODELS does not name it. Add it "
                "there, or copy the model into a folder and register that."
            )
            % {"id": id}
        )


def look_up(id: str, revision: str = "", variant: str = "") -> HubModel:
    """Ask the hub what the model is. Raises :class:`HubRefused` and ``UnusableFolder``."""
    check_allowed(id)
    if revision and not (_REVISION.fullmatch(revision) and ".." not in revision):
        raise HubRefused(_("“%(name)s” is no revision.") % {"name": revision[:100]})
    if not _WORD.fullmatch(variant):
        raise HubRefused(_("“%(name)s” is no variant.") % {"name": variant[:100]})
    process = _start({"do": "look", "id": id, "revision": revision})
    try:
        output, _errors = process.communicate(timeout=LOOK_SECONDS)
    except subprocess.TimeoutExpired:
        raise HubRefused(_("The hub does not answer. Try again later.")) from None
    finally:
        _end(process)
    answer = _read(output, id)
    commit = str(answer["commit"])
    if not _COMMIT.fullmatch(commit):
        raise HubRefused(_("The hub does not say which commit the revision is."))
    files = choose_files(answer["files"], _index(answer["index"]), variant)
    terms = answer["licence"]
    licence = terms.get("license", "")
    if licence in ("", "other"):
        licence = terms.get("license_name") or licence
    link = terms.get("license_link", "")
    link = link if re.match(r"https?://", link) and len(link) <= 200 else ""
    card = (answer["card"] or "").replace("\0", "")
    model = HubModel(id, commit, files, licence[:120], link, card)
    most = get_settings().HUB_MAX_BYTES
    if model.byte_count > most:
        raise HubRefused(
            _("The model has %(found)s bytes; the setting HUB_MAX_BYTES allows %(most)s.")
            % {"found": model.byte_count, "most": most}
        )
    return model


def fetch(model: HubModel, report: Reporter | None = None) -> Path:
    """Bring the model into ``HUB_FOLDER``; what is there already is not fetched again.

    Returns the folder of the commit. ``report`` may raise to stop; what was fetched stays.
    """
    check_allowed(model.id)
    place = _cache() / f"models--{model.id.replace('/', '--')}"
    folder = place / "snapshots" / model.commit
    if not _missing(model, folder):
        return folder
    process = _start(
        {"do": "fetch", "id": model.id, "commit": model.commit, "files": list(model.files)}
    )
    try:
        while process.poll() is None:
            if report is not None:
                there = min(_bytes_in(place / "blobs"), model.byte_count)
                report(there, model.byte_count)
            time.sleep(PAUSE)
        output, _errors = process.communicate()
    finally:
        _end(process)
    _read(output, model.id)
    if missing := _missing(model, folder):
        raise HubRefused(_("%(name)s was not fetched whole. Try again.") % {"name": missing})
    return folder


def source_of(location: str) -> str:
    """Return ``owner/name@commit`` of a folder that a hub's files lie in, or nothing."""
    found = _CACHED.fullmatch(location.replace("\\", "/"))
    return f"{found['owner']}/{found['name']}@{found['commit']}" if found else ""


def _index(text: str | None) -> dict[str, Any] | None:
    """Return what ``model_index.json`` says, or None where there is no such file."""
    if text is None:
        return None
    try:
        index = json.loads(text)
    except (ValueError, RecursionError):
        index = None
    if not isinstance(index, dict):
        raise UnusableFolder(f"{INDEX} cannot be read.")
    return index


def _missing(model: HubModel, folder: Path) -> str:
    """Return the first file that is not there in full, or nothing."""
    for name, size in model.files.items():
        path = folder / name
        if not path.is_file() or path.stat().st_size != size:
            return name
    return ""


def _cache() -> Path:
    return get_settings().HUB_FOLDER.expanduser().resolve()


def _start(asked: dict[str, Any]) -> subprocess.Popen[str]:
    cache = _cache()
    cache.mkdir(parents=True, exist_ok=True)
    environment = {
        name: value
        for name, value in os.environ.items()
        if name in PASSED_ON or name.startswith(PASSED_ON_PREFIXES)
    }
    environment |= {
        "HF_HUB_OFFLINE": "0",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
    }
    process = subprocess.Popen(  # noqa: S603
        [sys.executable, "-P", str(Path(__file__).with_name("hub_process.py"))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        encoding="utf-8",
        env=environment,
    )
    if process.stdin is not None:
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(json.dumps(asked | {"cache": str(cache)}))
            process.stdin.close()
        process.stdin = None
    return process


def _end(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    if process.stdout is not None:
        process.stdout.close()


def _read(output: str, id: str) -> dict[str, Any]:
    try:
        answer: dict[str, Any] = json.loads(output)
    except ValueError:
        raise HubRefused(_("The download ended early. Try again.")) from None
    refused = answer.get("refused")
    if refused is None:
        return answer
    if refused == "unavailable":
        raise HubRefused(_("huggingface_hub is not installed: add the extra “diffusers”."))
    if refused in ("GatedRepoError", "RepositoryNotFoundError"):
        raise HubRefused(
            _(
                "The hub does not give “%(id)s”: there is no such model, or its conditions "
                "have to be accepted there first and a token set as HF_TOKEN."
            )
            % {"id": id}
        )
    if refused == "RevisionNotFoundError":
        raise HubRefused(_("The hub does not have this revision of “%(id)s”.") % {"id": id})
    raise HubRefused(
        _("The hub could not be read (%(reason)s). Try again later.") % {"reason": refused}
    )


def _bytes_in(folder: Path) -> int:
    total = 0
    for path in folder.glob("*"):
        try:
            total += path.stat().st_size
        except OSError:
            continue
    return total
