"""Requests from the operators' side: purges, and the explanation of an address."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from edge import purging
from edge.exceptions import BadRequest, Refusal
from edge.explain import Explainer
from edge.forgetting import Forgetter
from edge.grants import GrantBook
from edge.health import json_response
from edge.responses import Response
from imagepipe.grants.orders import EXPLAIN_PATH, PURGE_PATH, is_ordered


class OrderDesk:
    """Answers what only holders of the shared secret may ask."""

    def __init__(
        self,
        secret: bytes,
        book: GrantBook,
        forgetter: Forgetter,
        journal: purging.PurgeJournal,
        explainer: Explainer,
        look_again: Callable[[], None],
    ) -> None:
        self._secret = secret
        self._book = book
        self._forgetter = forgetter
        self._journal = journal
        self._explainer = explainer
        self._look_again = look_again

    @staticmethod
    def knows(path: str) -> bool:
        """Whether the path is one that is answered here."""
        return path == PURGE_PATH or path.startswith(EXPLAIN_PATH + "/")

    def answer(self, method: str, path: str, environ: dict[str, Any]) -> Response:
        """Raises Refusal: 401 without a proof, before anything else is looked at."""
        body = _body(environ) if method == "POST" else b""
        authorization = str(environ.get("HTTP_AUTHORIZATION", ""))
        if not is_ordered(self._secret, method, path, body, int(time.time()), authorization):
            raise BadRequest(401, "not-ordered", "the proof is missing, wrong or too old")
        if path == PURGE_PATH and method == "POST":
            return self._purge(body)
        if path != PURGE_PATH and method == "GET":
            address = path[len(EXPLAIN_PATH) :]
            return json_response(200, self._explainer.explain(address, environ))
        raise BadRequest(405, "method", "this address takes another method")

    def _purge(self, body: bytes) -> Response:
        order = purging.read_order(body)
        if order.tags:
            order = purging.resolve(order, self._tags_of, self._forgetter.assets())
        self._journal.add(order)
        self._forgetter.carry_out(order, self._book)
        self._look_again()
        return json_response(200, purging.told(order))

    def _tags_of(self, asset: str) -> tuple[str, ...]:
        try:
            return self._book.get(asset).tags
        except Refusal:
            return ()


def _body(environ: dict[str, Any]) -> bytes:
    try:
        length = int(environ.get("CONTENT_LENGTH") or 0)
    except ValueError:
        raise BadRequest(400, "order", "the length is not a number") from None
    if not 0 <= length <= purging.LONGEST_BODY:
        raise BadRequest(413, "order-too-large", "the order is too long")
    return bytes(environ["wsgi.input"].read(length))
