"""Is the process alive, and is it able to answer?"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from edge.responses import SAFETY, Response


def healthz() -> Response:
    """The process answers."""
    return json_response(200, {"status": "ok"})


def readyz(checks: Mapping[str, Callable[[], bool]]) -> Response:
    """Every named check holds, or 503 with those that do not."""
    results = {name: check() for name, check in checks.items()}
    is_ready = all(results.values())
    words = {name: "ok" if passed else "failed" for name, passed in results.items()}
    document = {"status": "ready" if is_ready else "not ready", "checks": words}
    return json_response(200 if is_ready else 503, document)


def json_response(status: int, document: Mapping[str, object]) -> Response:
    """A document that no cache keeps."""
    body = json.dumps(document).encode()
    headers = [
        ("Content-Type", "application/json"),
        ("Content-Length", str(len(body))),
        ("Cache-Control", "no-store"),
        *SAFETY,
    ]
    return Response(status, headers, body, "ok" if status == 200 else "not-ready")
