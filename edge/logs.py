"""Logs as one JSON object a line, without signatures, keys or visitors' addresses."""

from __future__ import annotations

import datetime as dt
import json
import logging
import sys

from edge.responses import Response

_access = logging.getLogger("edge.access")


class JsonFormatter(logging.Formatter):
    """One line per record; `extra={"fields": {...}}` adds fields."""

    def format(self, record: logging.LogRecord) -> str:
        moment = dt.datetime.fromtimestamp(record.created, dt.UTC)
        line = {
            "time": moment.isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def configure(stream: object = None) -> None:
    """Send everything of the edge to standard error."""
    handler = logging.StreamHandler(stream or sys.stderr)  # type: ignore[arg-type]
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger("edge")
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    root.propagate = False
    # Each broken picture has dozens of warnings by its decoder; the refusal says enough.
    logging.getLogger("pyvips").setLevel(logging.ERROR)


def log_access(method: str, route: str, response: Response, seconds: float, trace: str) -> None:
    """One answered request."""
    fields = {
        "trace": trace,
        "method": method[:10],
        "route": route,
        "status": response.status,
        "reason": response.reason,
        "cache": response.cache,
        "bytes": len(response.body),
        "ms": round(seconds * 1000, 2),
        **response.note,
    }
    _access.info("request", extra={"fields": fields})
