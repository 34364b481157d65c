"""A delivery storage in an object store: S3, Google Cloud Storage or Azure, through obstore.

Credentials and endpoints come from the usual variables of the environment (`AWS_…`,
`GOOGLE_…`, `AZURE_…`).
"""

from __future__ import annotations

import datetime as dt
import os

import obstore
from obstore.exceptions import BaseError
from obstore.store import from_url

from edge.remote import RemoteSource, stamp_of
from edge.sources import Stamp


class ObjectSource(RemoteSource):
    """Reads below `url`, for example `s3://bucket/delivery`. Raises ValueError."""

    def __init__(self, url: str, max_bytes: int, beat: float, timeout: float) -> None:
        super().__init__(max_bytes, beat)
        wait = dt.timedelta(seconds=timeout)
        try:
            self._store = from_url(
                url,
                client_options={
                    "timeout": wait,
                    "connect_timeout": min(wait, _CONNECT),
                    "allow_http": any(
                        os.environ.get(f"{cloud}_ALLOW_HTTP", "").lower() == "true"
                        for cloud in ("AWS", "AZURE", "GOOGLE")
                    ),
                },
                retry_config={"max_retries": 2, "retry_timeout": wait},
            )
        except BaseError as error:
            raise ValueError(f"{url} cannot be used: {error}") from None

    def _head(self, name: str) -> Stamp | None:
        try:
            return _stamp(obstore.head(self._store, name))
        except FileNotFoundError:
            return None
        except BaseError as error:
            raise OSError(_first_line(error)) from None

    def _get(self, name: str, limit: int) -> tuple[bytes, Stamp]:
        try:
            result = obstore.get(self._store, name)
            if result.meta["size"] > limit:
                raise ValueError(f"{name} has more than {limit} bytes")
            return result.bytes().to_bytes(), _stamp(result.meta)
        except FileNotFoundError:
            raise FileNotFoundError(2, "there is no such object", name) from None
        except BaseError as error:
            raise OSError(_first_line(error)) from None


_CONNECT = dt.timedelta(seconds=3)


def _stamp(meta: obstore.ObjectMeta) -> Stamp:
    return stamp_of(
        meta["size"], str(meta["e_tag"]), str(meta["version"]), str(meta["last_modified"])
    )


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:200]
