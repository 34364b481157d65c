"""One request for a picture, from the signed address to the bytes."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from edge.conditional import Ask, conditional
from edge.config import EdgeConfig
from edge.exceptions import BadRequest, NotDeliverable, Refusal
from edge.grants import GrantBook
from edge.production import Job, Producer
from edge.responses import (
    PREVIEW_AGE,
    SUPERSEDED_AGE,
    Lifetime,
    Response,
    etag,
    picture_headers,
)
from imagepipe.grants import Decision, Grant, decide
from imagepipe.urlspec import (
    BadSignature,
    Expired,
    ImagePath,
    InvalidPath,
    Keyring,
    UnknownKey,
    format_transform,
    negotiate,
    verify_url,
)

_DETAILS = {
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
        now = int(self._clock())
        path = self._verify(ask.path, now)
        grant, decision, stands_in = self._decide(path, ask.market, now)
        version = decision.version
        if version is None:
            raise NotDeliverable(404, "unknown-version", _DETAILS["unknown-version"])
        started = time.perf_counter()
        extension: str = path.extension
        if extension == "auto":
            extension = negotiate(ask.accept, has_alpha=self._producer.has_alpha(version))
        job = Job(grant.asset, version, path.transform, extension)
        picture, origin, stages = self._producer.get(job)
        if origin != "memory":
            # Making it took time, in which it may have been withdrawn.
            now = int(self._clock())
            grant, decision, stands_in = self._decide(path, ask.market, now)
            if decision.version is None or decision.version.sha256 != version.sha256:
                raise NotDeliverable(503, "changed", _DETAILS["changed"], retry_after=1)
        lifetime = self._lifetime(path, decision, now)
        if stands_in:
            lifetime = lifetime.at_most(SUPERSEDED_AGE)
        stages["total"] = time.perf_counter() - started
        headers = picture_headers(
            picture,
            extension,
            lifetime,
            tags=grant.tags,
            varies=path.extension == "auto",
            timing=_timing(origin, stages),
        )
        response = Response(
            200,
            headers,
            picture.body,
            "fallback" if stands_in else decision.reason,
            origin,
            {
                "asset": path.asset,
                "version": path.version,
                "transform": format_transform(path.transform),
                "format": extension,
            },
        )
        return conditional(response, ask, etag(picture))

    def _verify(self, url_path: str, now: int) -> ImagePath:
        try:
            return verify_url(url_path, self._keyring, now)
        except InvalidPath as error:
            raise BadRequest(404, "invalid-address", error.reason) from None
        except (UnknownKey, BadSignature) as error:
            raise BadRequest(403, "bad-signature", error.reason) from None
        except Expired as error:
            raise BadRequest(403, "preview-ended", error.reason) from None

    def _decide(
        self, path: ImagePath, market: str | None, now: int
    ) -> tuple[Grant, Decision, bool]:
        """The grant and decision, of the fallback if the asset itself may not be shown."""
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
            decision.status, decision.reason, _DETAILS[decision.reason], retry_after=retry
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

    def _lifetime(self, path: ImagePath, decision: Decision, now: int) -> Lifetime:
        is_limited = decision.version is not None and bool(decision.version.markets)
        lifetime = Lifetime(self._config.max_age, self._config.shared_max_age, is_limited)
        lifetime = lifetime.until(decision.not_after, now)
        if decision.reason == "superseded":
            lifetime = lifetime.at_most(SUPERSEDED_AGE)
        if path.expires is not None:
            lifetime = replace(lifetime, is_private=True).until(path.expires, now)
            lifetime = lifetime.at_most(PREVIEW_AGE)
        return lifetime


def _timing(origin: str, stages: dict[str, float]) -> str:
    """Server-Timing, in milliseconds."""
    parts = [f"cache;desc={origin}"]
    parts += [f"{name};dur={seconds * 1000:.1f}" for name, seconds in stages.items()]
    return ", ".join(parts)
