"""One request for a picture, from the signed address to the bytes."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from edge import sidecars
from edge.conditional import Ask, conditional
from edge.config import EdgeConfig
from edge.exceptions import BadRequest, NotDeliverable, Refusal
from edge.grants import GrantBook
from edge.negotiation import choose
from edge.production import PASSING, Job, Producer
from edge.responses import (
    PREVIEW_AGE,
    SUPERSEDED_AGE,
    Lifetime,
    Response,
    Terms,
    etag,
    picture_headers,
    timing_header,
)
from edge.scene import scene_of
from imagepipe.grants import Decision, Grant, decide
from imagepipe.urlspec import (
    MAX_DIMENSION,
    MIME_TYPES,
    SMART,
    BadSignature,
    Expired,
    ImagePath,
    InvalidPath,
    Keyring,
    Transform,
    UnknownKey,
    format_transform,
    plan,
    verify_url,
)

#: What is said about the reasons of refusals.
DETAILS: Final = {
    "changed": "the picture was replaced at this moment; try again",
    "unknown-version": "this version of the picture is not published",
    "withdrawn": "the picture was withdrawn",
    "not-yet": "the picture may not be shown yet",
    "expired": "the right to show this picture has ended",
    "market": "the picture may not be shown in this market",
    "channel": "the picture may not be shown on this channel",
    "stale-grant": "the delivery document is too old to be relied on",
}


class PictureHandler:
    """Answers requests for pictures."""

    def __init__(
        self,
        config: EdgeConfig,
        keyring: Keyring,
        book: GrantBook,
        producer: Producer,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._config = config
        self._keyring = keyring
        self._book = book
        self._producer = producer
        self._clock = clock

    def answer(self, ask: Ask) -> Response:
        """A picture, or part of one, or 304. Raises Refusal."""
        response = self.whole(ask)
        return conditional(response, ask, response.tag)

    def whole(self, ask: Ask, path: ImagePath | None = None) -> Response:
        """The whole picture or sidecar, without its length, and the terms of repeating it.

        `path` is the address where it is verified already. Raises Refusal.
        """
        now = int(self._clock())
        path = path or self.verify(ask.path, now)
        pair = sidecars.split(ask.path)[1]
        if pair:
            return self._sidecar(ask, path, pair, now)
        grant, decision, stands_in = self.decide(path, ask.market, now)
        version = decision.version
        if version is None:
            raise NotDeliverable(404, "unknown-version", DETAILS["unknown-version"])
        started = time.perf_counter()
        choice = choose(
            path,
            ask.accept,
            ask.hints,
            lambda: self._producer.has_alpha(version),
            lambda transform, extension: self._producer.moves(version, transform, extension),
        )
        transform = choice.transform
        if stands_in:
            transform = self.instead(path, transform)
        job = Job(grant.asset, version, transform, choice.extension, choice.moves)
        picture, origin, stages = self._producer.get(job, ask.visitor)
        if origin != "memory":
            # Making it took time, in which it may have been withdrawn.
            now = int(self._clock())
            grant, decision, stands_in = self.decide(path, ask.market, now)
            if decision.version is None or decision.version.sha256 != version.sha256:
                raise NotDeliverable(503, "changed", DETAILS["changed"], retry_after=1)
        lifetime = self.lifetime(path, decision, now)
        if stands_in or origin in PASSING:
            lifetime = lifetime.at_most(SUPERSEDED_AGE)
        stages["total"] = time.perf_counter() - started
        headers = picture_headers(
            picture,
            MIME_TYPES[choice.extension],
            lifetime,
            tags=grant.tags,
            vary=choice.vary,
            timing=timing_header(origin, stages),
            link=sidecars.link(ask.path, picture.pair) if picture.pair else "",
        )
        note = {
            "asset": path.asset,
            "version": path.version,
            "transform": format_transform(choice.transform),
            "format": choice.extension,
        }
        is_plain = decision.reason == "ok" and not stands_in and origin not in PASSING
        terms = self._terms(path, decision, grant, lifetime) if is_plain else None
        reason = "fallback" if stands_in else decision.reason
        return Response(
            200,
            headers,
            picture.body,
            reason,
            origin,
            note,
            etag(picture),
            terms,
            picture if picture.pair else None,
        )

    def instead(self, path: ImagePath, transform: Transform) -> Transform:
        """The transform that gives a fallback the ratio of the picture it stands in for.

        It is as large as promised, unless it has too few pixels itself.
        """
        asked = [
            known
            for known in self._book.get(path.asset).versions
            if known.sha256.startswith(path.version)
        ]
        if len(asked) != 1 or transform.fit == "pad":
            return transform
        todo = plan(asked[0].width, asked[0].height, transform, scene_of(asked[0]))
        width, height = min(todo.width, MAX_DIMENSION), min(todo.height, MAX_DIMENSION)
        return replace(
            transform, width=width, height=height, fit="fill", gravity=SMART, crop=None
        )

    def _sidecar(self, ask: Ask, path: ImagePath, pair: str, now: int) -> Response:
        """A sidecar that was made with its picture, to whom the picture may be shown."""
        grant, decision, stands_in = self.decide(path, ask.market, now)
        if decision.version is None:
            raise NotDeliverable(404, "unknown-version", DETAILS["unknown-version"])
        sidecar, origin = self._producer.sidecar(grant.asset, decision.version, pair)
        lifetime = self.lifetime(path, decision, now)
        if stands_in:
            lifetime = lifetime.at_most(SUPERSEDED_AGE)
        headers = picture_headers(
            sidecar, sidecars.MIME, lifetime, tags=grant.tags, timing=f"cache;desc={origin}"
        )
        note = {
            "asset": path.asset,
            "version": path.version,
            "transform": format_transform(path.transform),
            "format": sidecars.FORMAT,
        }
        is_plain = decision.reason == "ok" and not stands_in
        terms = self._terms(path, decision, grant, lifetime) if is_plain else None
        reason = "fallback" if stands_in else decision.reason
        return Response(200, headers, sidecar.body, reason, origin, note, etag(sidecar), terms)

    def terms_of(self, address: str, now: int) -> Terms | None:
        """The terms of an address by the newest grant, for visitors of no known market.

        None where another picture would stand in. Raises Refusal.
        """
        path = self.verify(address, now)
        grant, decision, stands_in = self.decide(path, None, now)
        if stands_in or decision.reason != "ok":
            return None
        return self._terms(path, decision, grant, self.lifetime(path, decision, now))

    def _terms(
        self, path: ImagePath, decision: Decision, grant: Grant, lifetime: Lifetime
    ) -> Terms:
        """Headers stay true until the end of the rights shortens what they promise."""
        until = float(grant.valid_until + self._config.grace)
        if decision.not_after is not None:
            until = min(until, decision.not_after - lifetime.longest)
        is_limited = decision.version is None or bool(decision.version.markets)
        return Terms(grant, until, path.expires is None and not is_limited)

    def verify(self, url_path: str, now: int) -> ImagePath:
        """What a signed address, or a sidecar behind it, asks for. Raises BadRequest."""
        try:
            return verify_url(sidecars.split(url_path)[0], self._keyring, now)
        except InvalidPath as error:
            raise BadRequest(404, "invalid-address", error.reason) from None
        except (UnknownKey, BadSignature) as error:
            raise BadRequest(403, "bad-signature", error.reason) from None
        except Expired as error:
            raise BadRequest(403, "preview-ended", error.reason) from None

    def decide(
        self, path: ImagePath, market: str | None, now: int
    ) -> tuple[Grant, Decision, bool]:
        """The grant and decision, of the fallback if the asset itself may not be shown.

        The last value tells that it is the fallback. Raises Refusal.
        """
        grant = self._book.get(path.asset)
        decision = self._judge(grant, path.version, path, market, now)
        if decision.allowed:
            return grant, decision, False
        if decision.fallback is not None and decision.fallback != path.asset:
            try:
                other = self._book.get(decision.fallback)
            except Refusal:
                pass
            else:
                for version in other.versions:
                    instead = self._judge(other, version.sha256[:16], path, market, now)
                    if instead.allowed:
                        tags = tuple(dict.fromkeys((*grant.tags, *other.tags)))
                        return replace(other, tags=tags), instead, True
        retry = 10 if decision.status == 503 else None
        raise NotDeliverable(
            decision.status, decision.reason, DETAILS[decision.reason], retry_after=retry
        )

    def _judge(
        self, grant: Grant, version: str, path: ImagePath, market: str | None, now: int
    ) -> Decision:
        return decide(
            grant,
            version,
            now,
            market,
            self._config.channel,
            preview=path.expires is not None,
            grace=self._config.grace,
        )

    def lifetime(self, path: ImagePath, decision: Decision, now: int) -> Lifetime:
        """How long caches may keep what was decided."""
        is_limited = decision.version is not None and bool(decision.version.markets)
        lifetime = Lifetime.of(self._config, is_private=is_limited)
        lifetime = lifetime.until(decision.not_after, now)
        if decision.reason == "superseded":
            lifetime = lifetime.at_most(SUPERSEDED_AGE)
        if path.expires is not None:
            lifetime = replace(lifetime, is_private=True).until(path.expires, now)
            lifetime = lifetime.at_most(PREVIEW_AGE)
        return lifetime
