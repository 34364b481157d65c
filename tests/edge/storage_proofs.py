"""How object stores check who asks: S3, Google Cloud Storage and Azure."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import time
from email.utils import parsedate_to_datetime
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

KEY_ID, SECRET_KEY = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
ACCOUNT, ACCOUNT_KEY = "harbour", base64.b64encode(b"a key of Azure's, 32 bytes long!").decode()
ROBOT = "edge@harbour.iam.gserviceaccount.com"
_SCOPE = "https://www.googleapis.com/auth/cloud-platform"


def s3(method: str, path: str, headers: Any) -> bool:
    """Signature Version 4 of S3, computed anew.

    https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
    """
    given = re.fullmatch(
        r"AWS4-HMAC-SHA256 Credential=([^/]+)/([0-9]{8})/([^/]+)/s3/aws4_request, ?"
        r"SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})",
        headers.get("Authorization", ""),
    )
    if given is None or given[1] != KEY_ID:
        return False
    lines = "".join(f"{n}:{' '.join(headers[n].split())}\n" for n in given[4].split(";"))
    payload = headers["x-amz-content-sha256"]
    path, _, query = path.partition("?")
    canonical = f"{method}\n{path}\n{query}\n{lines}\n{given[4]}\n{payload}"
    scope = f"{given[2]}/{given[3]}/s3/aws4_request"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    text = f"AWS4-HMAC-SHA256\n{headers['x-amz-date']}\n{scope}\n{digest}"
    key = ("AWS4" + SECRET_KEY).encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.compare_digest(hmac.digest(key, text.encode(), "sha256").hex(), given[5])


class GoogleProof:
    """A token that the service account signed itself.

    https://developers.google.com/identity/protocols/oauth2/service-account#jwt-auth
    """

    def __init__(self, key: rsa.RSAPublicKey) -> None:
        self._key = key

    def __call__(self, method: str, path: str, headers: Any) -> bool:
        kind, _, token = headers.get("Authorization", "").partition(" ")
        if kind != "Bearer" or token.count(".") != 2:
            return False
        head, claims, signature = map(_decoded, token.split("."))
        try:
            self._key.verify(
                signature,
                token.rpartition(".")[0].encode(),
                padding.PKCS1v15(),
                hashes.SHA256(),
            )
        except InvalidSignature:
            return False
        said = json.loads(claims)
        return (
            json.loads(head)["alg"] == "RS256"
            and (said["iss"], said["sub"], said["scope"]) == (ROBOT, ROBOT, _SCOPE)
            and said["iat"] <= time.time() + 60
            and time.time() < said["exp"] <= said["iat"] + 3600
        )


def azure(method: str, path: str, headers: Any) -> bool:
    """The Shared Key of Blob Storage, computed anew for a request without query.

    https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key
    """
    length = headers.get("Content-Length", "0")
    usual = ["", "", "" if length == "0" else length, *([""] * 2), headers.get("Date", "")]
    usual += [headers.get(name, "") for name in ("If-Modified-Since", "If-Match")]
    usual += [headers.get(name, "") for name in ("If-None-Match", "If-Unmodified-Since")]
    own = sorted((n.lower(), v) for n, v in headers.items() if n.lower().startswith("x-ms-"))
    lines = [method, *usual, headers.get("Range", ""), *(f"{n}:{v}" for n, v in own)]
    text = "\n".join([*lines, f"/{ACCOUNT}{path}"])
    proof = hmac.digest(base64.b64decode(ACCOUNT_KEY), text.encode(), "sha256")
    expected = f"SharedKey {ACCOUNT}:{base64.b64encode(proof).decode()}"
    late = abs(time.time() - parsedate_to_datetime(headers["Date"]).timestamp())
    return hmac.compare_digest(headers.get("Authorization", ""), expected) and late < 900


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
