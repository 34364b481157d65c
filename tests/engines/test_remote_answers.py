"""What engines elsewhere may send, and what becomes of it; the key is never told."""

from __future__ import annotations

import base64
import gzip
import io
import json
import logging
import traceback
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from PIL import Image

from imagepipe.generation.backends import make
from imagepipe.generation.backends.address import parse_address
from imagepipe.generation.backends.openai_images import OpenAIImagesBackend
from imagepipe.generation.backends.remote import Remote, retry_after
from imagepipe.generation.exceptions import (
    BackendBusy,
    BackendDown,
    BackendUnavailable,
    GenerationError,
    InvalidAnswer,
    InvalidPicture,
    OutOfMemory,
    RequestRefused,
)
from imagepipe.generation.request import ModelReference, Request
from tests.engines.images_api_server import KEY, SIZES, ImagesAPIServer
from tests.engines.painting import encode, paint
from tests.engines.serving import Reply, reply
from tests.engines.web_ui_server import WebUIServer

ROUTE = "/v1/images/generations"
MODEL = ModelReference("gpt-image", "gpt-image-2")
REQUEST = Request("a red apple", "gpt-image", 7, 64, 64, steps=6)
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def server() -> Iterator[ImagesAPIServer]:
    with ImagesAPIServer() as server:
        yield server


def backend(server: ImagesAPIServer, **options: object) -> OpenAIImagesBackend:
    address = f"{server.address}/v1"
    return make("openai-images", address=address, key=KEY, sizes=SIZES, **options)


def picture(data: bytes) -> Reply:
    return reply({"data": [{"b64_json": base64.b64encode(data).decode()}]})


def bomb() -> bytes:
    output = io.BytesIO()
    Image.new("1", (30_000, 30_000)).save(output, "PNG")
    return output.getvalue()


@pytest.mark.parametrize(
    ("answer", "kind", "message"),
    [
        (Reply(500, b'{"detail": "boom"}'), BackendDown, "failed \\(500\\). boom"),
        (Reply(503, b"<html>"), BackendDown, "failed \\(503\\)"),
        (reply({"error": "OutOfMemoryError"}, 500), OutOfMemory, "not enough memory"),
        (reply({"error": {"message": "No such size."}}, 400), RequestRefused, "No such size."),
        (reply({"detail": [{"loc": [], "msg": "too long"}]}, 422), RequestRefused, "too long"),
        (reply({"detail": "x" * 5000}, 404), RequestRefused, "x…$"),
        (Reply(402), RequestRefused, "402"),
        (reply({"error": f"key {KEY}"}, 403), BackendUnavailable, "does not accept the key"),
        (Reply(302, headers={"Location": "/x"}), BackendUnavailable, "another address"),
        (Reply(body=b"<html>", content_type="text/html"), InvalidAnswer, "text/html"),
        (Reply(body=b"{"), InvalidAnswer, "damaged JSON"),
        (Reply(body=b"[" * 200_000), InvalidAnswer, "damaged JSON"),
        (Reply(body=b"[1]"), InvalidAnswer, "something else than a picture"),
        (reply({"data": []}), InvalidAnswer, "something else than a picture"),
        (reply({"data": [{"b64_json": "***"}]}), InvalidPicture, "damaged"),
        (reply({"data": [{"b64_json": 7}]}), InvalidPicture, "no picture"),
        (picture(b"GIF89a"), InvalidPicture, "not a picture"),
        (picture(encode(paint((64, 64), 1), "TIFF")), InvalidPicture, "not a picture"),
        (picture(encode(paint((64, 64), 1))[:900]), InvalidPicture, "damaged"),
        (picture(encode(paint((32, 64), 1))), InvalidPicture, "32×64 instead of 64×64"),
        (picture(bomb()), InvalidPicture, "not a picture"),
        (Reply(body=b"x" * 5000, cut=10), BackendDown, "broke off its answer"),
        (
            Reply(body=gzip.compress(b"{}"), headers={"Content-Encoding": "gzip"}),
            InvalidAnswer,
            "compressed",
        ),
        (reply({"data": [{"url": "http://169.254.169.254/x"}]}), InvalidPicture, "elsewhere"),
        (reply({"data": [{"url": "https://example.com/x.png"}]}), InvalidPicture, "elsewhere"),
        (reply({"data": [{"url": "file:///etc/passwd"}]}), InvalidPicture, "elsewhere"),
    ],
    ids=lambda value: None if isinstance(value, type) else str(value)[:30],
)
def test_bad_answers_become_errors_for_people(
    server: ImagesAPIServer, answer: Reply, kind: type[GenerationError], message: str
) -> None:
    server.misbehave(ROUTE, answer)
    used = backend(server)

    with pytest.raises(kind, match=message) as failure:
        used.generate(REQUEST, MODEL)

    assert KEY not in str(failure.value)
    assert len(str(failure.value)) < 500
    assert failure.value.retryable == issubclass(kind, (BackendDown, OutOfMemory))
    assert used.generate(REQUEST, MODEL).image().size == (64, 64)


def test_a_busy_engine_says_when_to_come_back(server: ImagesAPIServer) -> None:
    server.misbehave(ROUTE, Reply(429, headers={"Retry-After": "17"}))
    with pytest.raises(BackendBusy) as failure:
        backend(server).generate(REQUEST, MODEL)
    assert failure.value.retry_after == 17
    assert failure.value.retryable


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("", None),
        ("0", 0),
        ("120", 120),
        ("999999999999", 3600),
        ("Thu, 01 Jan 2026 00:02:00 GMT", 120),
        ("Wed, 31 Dec 2025 00:00:00 GMT", 0),
        ("soon", None),
        ("-3", None),
        ("1.5", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str | None, seconds: float | None) -> None:
    assert retry_after(value, NOW) == seconds


def test_answers_are_bounded_in_size_and_time(server: ImagesAPIServer) -> None:
    remote = Remote(parse_address(f"{server.address}/v1"), KEY)
    server.misbehave("/v1/x", Reply(body=b"x" * 200_000), Reply(seconds=1.0))
    with pytest.raises(InvalidAnswer, match="more than 0 MB"):
        remote.call("GET", "/x", limit=100_000)
    with pytest.raises(BackendDown, match="within 0.2 seconds"):
        remote.call("GET", "/x", timeout=0.2)


def test_an_engine_that_is_not_there_is_down() -> None:
    with ImagesAPIServer() as gone:
        used = backend(gone)
    with pytest.raises(BackendDown, match="cannot be reached"):
        used.generate(REQUEST, MODEL)


def test_a_redirect_is_not_followed_and_gets_no_key(server: ImagesAPIServer) -> None:
    with ImagesAPIServer() as other:
        server.misbehave(ROUTE, Reply(307, headers={"Location": other.address + ROUTE}))
        with pytest.raises(BackendUnavailable):
            backend(server).generate(REQUEST, MODEL)
        assert other.asked == []


def test_the_key_is_in_no_message_log_or_representation(
    server: ImagesAPIServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    used = backend(server)
    used.generate(REQUEST, MODEL)
    server.misbehave(ROUTE, reply({"error": {"message": f"Incorrect: Bearer {KEY}"}}, 400))
    with pytest.raises(RequestRefused, match="Incorrect: …") as failure:
        used.generate(REQUEST, MODEL)
    told = "".join(traceback.format_exception(failure.value)) + caplog.text
    assert KEY not in told
    assert KEY not in repr(used) + repr(used._remote) + str(vars(failure.value))


def test_pictures_by_address_come_from_the_engine_itself() -> None:
    with ImagesAPIServer(by_url=True) as server:
        assert backend(server).generate(REQUEST, MODEL).image().size == (64, 64)


def test_the_engine_is_told_nothing_that_it_does_not_know(server: ImagesAPIServer) -> None:
    result = backend(server, quality="high").generate(replace(REQUEST, steps=40), MODEL)
    assert server.asked[-1].json() == {
        "model": "gpt-image-2", "prompt": "a red apple", "n": 1, "size": "64x64",
        "quality": "high",
    }  # fmt: skip
    assert "no seed" in result.warnings[0]
    assert result.warnings[1] == "The engine changed the prompt to: a red apple, in good light"


@pytest.mark.parametrize(
    "address",
    [
        "", "ftp://host", "//host", "host:80", "http://", "http://u:p@host", "http://h/?q",
        "http://h/#f", "http://h h", "http://169.254.169.254", "http://[fe80::1]/",
        "http://[::ffff:169.254.169.254]/", "http://metadata.google.internal", "http://h:x",
        "http://h\\@evil",
    ],
)  # fmt: skip
def test_addresses_that_are_not_asked(address: str) -> None:
    with pytest.raises(ValueError, match="."):
        parse_address(address)
    with pytest.raises(BackendUnavailable, match="set up wrongly"):
        make("automatic1111", address=address)


def test_a_password_is_sent_as_basic_authentication() -> None:
    with WebUIServer(auth="editor:s3cret") as server:
        used = make("automatic1111", address=server.address, key="editor:s3cret")
        assert "Euler a" in used.capabilities().schedulers
        wrong = make("automatic1111", address=server.address, key="editor:wrong")
        with pytest.raises(BackendUnavailable, match="does not accept the key"):
            wrong.capabilities()
        assert json.loads(server.asked[-1].body or b"{}") == {}
