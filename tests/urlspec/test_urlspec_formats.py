from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagepipe.urlspec import negotiate

CHROME = "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8"
FIREFOX = "image/avif,image/webp,image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5"
SAFARI = (
    "image/webp,image/avif,image/jxl,image/heic,image/heic-sequence,video/*;q=0.8,"
    "image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5"
)


@pytest.mark.parametrize(
    ("accept", "plain", "transparent"),
    [
        (CHROME, "avif", "avif"),
        (SAFARI, "avif", "avif"),
        (FIREFOX, "avif", "avif"),
        ("", "jpg", "png"),
        ("*/*", "jpg", "png"),
        ("image/*", "jpg", "png"),
        ("image/webp,*/*", "webp", "webp"),
        ("image/webp", "webp", "webp"),
        ("IMAGE/WEBP ; Q=0.9 , */*;q=0.1", "webp", "webp"),
        ("image/avif;q=0,image/webp,*/*", "webp", "webp"),
        ("image/avif;q=0.0,image/webp;q=0.000", "jpg", "png"),
        ("image/avif;q=0.5,image/webp;q=0.9", "webp", "webp"),
        ("image/avif;q=0.5,image/*", "jpg", "png"),
        ("image/avif;q=0.5,image/jpeg;q=0.4,*/*", "avif", "png"),
        ("image/avif;q=2,image/webp;q=x", "jpg", "png"),
        ("text/html", "jpg", "png"),
        (",;,;q=1,image/webp", "webp", "webp"),
        ("image/webp" + "," * 5000, "webp", "webp"),
    ],
)
def test_format_for_an_accept_header(accept: str, plain: str, transparent: str) -> None:
    assert negotiate(accept) == plain
    assert negotiate(accept, has_alpha=True) == transparent


@given(st.text(max_size=200))
def test_any_header_gets_a_format(accept: str) -> None:
    assert negotiate(accept) in ("avif", "webp", "jpg")
