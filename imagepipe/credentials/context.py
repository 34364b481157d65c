"""The c2pa settings that signing and verification share, and the picture types they cover."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from imagepipe.credentials.exceptions import UnsupportedFormat

if TYPE_CHECKING:
    import c2pa

MIME_TYPES = frozenset(
    {"image/jpeg", "image/png", "image/webp", "image/avif", "image/gif"}
)

#: Extended key usages of claim-signing certificates: e-mail protection, document signing,
#: C2PA claim signing.
_TRUSTED_USAGES = ("1.3.6.1.5.5.7.3.4", "1.3.6.1.5.5.7.3.36", "1.3.6.1.4.1.62558.2.1")


def make_context(
    anchors_pem: bytes = b"", *, verify_after_reading: bool = True
) -> c2pa.Context:
    """Settings without thumbnails and without any network access."""
    from c2pa import Context

    settings: dict[str, Any] = {
        "version": 1,
        "verify": {
            "verify_after_reading": verify_after_reading,
            "verify_after_sign": False,
            "verify_trust": bool(anchors_pem),
            "remote_manifest_fetch": False,
            "ocsp_fetch": False,
        },
        "builder": {"thumbnail": {"enabled": False}},
    }
    if anchors_pem:
        settings["trust"] = {
            "trust_anchors": anchors_pem.decode("ascii"),
            "trust_config": "".join(f"{usage}\n" for usage in _TRUSTED_USAGES),
        }
    return Context.from_dict(settings)


def check_mime(mime: str) -> None:
    if mime not in MIME_TYPES:
        raise UnsupportedFormat(f"content credentials are not offered for {mime[:60]}")
