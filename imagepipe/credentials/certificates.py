"""Signing identities: a certificate chain and its key, and a development root to make them.

What a claim-signing certificate must look like: C2PA 2.2, section 14.5.1. The development
root is trusted by nobody but those who are given its root.pem; a public site signs with a
certificate whose root is on a C2PA trust list.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from imagepipe.credentials.exceptions import InvalidIdentity

ROOT_DAYS, LEAF_DAYS, RENEWAL_DAYS = 3650, 825, 30
_PEM = serialization.Encoding.PEM
_DEVELOPMENT_LEAVES = {"cms": "imagepipe development CMS", "edge": "imagepipe development edge"}


@dataclass(frozen=True)
class SigningIdentity:
    """A certificate chain (PEM, leaf first) and the leaf's private key (PEM, PKCS#8)."""

    certificates_pem: bytes
    key_pem: bytes = field(repr=False)

    @classmethod
    def load(cls, folder: Path) -> SigningIdentity:
        """Read chain.pem and key.pem; InvalidIdentity if they are missing or do not fit."""
        folder = Path(folder)
        try:
            identity = cls(
                (folder / "chain.pem").read_bytes(), (folder / "key.pem").read_bytes()
            )
        except OSError:
            raise InvalidIdentity(f"{folder} has no readable chain.pem and key.pem") from None
        identity.check()
        return identity

    @property
    def certificates(self) -> list[x509.Certificate]:
        try:
            return x509.load_pem_x509_certificates(self.certificates_pem)
        except ValueError:
            raise InvalidIdentity("the certificate chain is not readable PEM") from None

    @property
    def chain_pem(self) -> bytes:
        """The chain as signatures carry it: without the root.

        Who trusts the root has it, and nobody else may learn it from a signature; so it need
        not be there (RFC 9360, section 2, x5chain). Leaving it out saves its length in every
        signature of a picture's history.
        """
        chain = self.certificates
        if len(chain) > 1 and chain[-1].issuer == chain[-1].subject:
            chain.pop()
        return b"".join(certificate.public_bytes(_PEM) for certificate in chain)

    @property
    def algorithm(self) -> str:
        """The C2PA name of the signature algorithm: es256, es384 or ed25519."""
        key = self._private_key()
        if isinstance(key, ed25519.Ed25519PrivateKey):
            return "ed25519"
        if isinstance(key.curve, ec.SECP256R1):
            return "es256"
        if isinstance(key.curve, ec.SECP384R1):
            return "es384"
        raise InvalidIdentity("the key's curve is neither P-256 nor P-384")

    def check(self) -> None:
        """Raise InvalidIdentity unless the key belongs to a leaf that is valid today."""
        leaf = self.certificates[0]
        if self._private_key().public_key() != leaf.public_key():
            raise InvalidIdentity("the key does not belong to the first certificate")
        if not leaf.not_valid_before_utc <= dt.datetime.now(dt.UTC) < leaf.not_valid_after_utc:
            raise InvalidIdentity("the signing certificate is not valid today")
        _ = self.algorithm

    def _private_key(self) -> ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey:
        try:
            key = serialization.load_pem_private_key(self.key_pem, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise InvalidIdentity("the private key is not readable PEM") from None
        if not isinstance(key, (ec.EllipticCurvePrivateKey, ed25519.Ed25519PrivateKey)):
            raise InvalidIdentity("the private key is neither ECDSA nor Ed25519")
        return key


def create_development_identities(folder: Path) -> None:
    """Make root.pem, cms/ and edge/ where they are missing or soon expire.

    The root stays the same, so that what was signed before still verifies. Its key lies
    beside it (root-key.pem, mode 0600), as do the leaves' (key.pem). Safe to call from
    several processes at once.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with _locked(folder):
        root, root_key = _development_root(folder)
        for name, common_name in _DEVELOPMENT_LEAVES.items():
            if not _is_current(folder / name, root):
                _write_leaf(folder / name, common_name, root, root_key)


def _development_root(folder: Path) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    certificate_file, key_file = folder / "root.pem", folder / "root-key.pem"
    if certificate_file.exists() and key_file.exists():
        identity = SigningIdentity(certificate_file.read_bytes(), key_file.read_bytes())
        identity.check()
        key = identity._private_key()
        if isinstance(key, ec.EllipticCurvePrivateKey):
            return identity.certificates[0], key
    key = ec.generate_private_key(ec.SECP256R1())
    name = _subject("imagepipe development root")
    root = _builder(name, name, key, ROOT_DAYS, is_ca=True).sign(key, hashes.SHA256())
    _write(key_file, _key_pem(key), 0o600)
    _write(certificate_file, root.public_bytes(_PEM), 0o644)
    return root, key


def _write_leaf(
    folder: Path,
    common_name: str,
    root: x509.Certificate,
    root_key: ec.EllipticCurvePrivateKey,
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key())
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION])
    leaf = (
        _builder(_subject(common_name), root.subject, key, LEAF_DAYS, is_ca=False)
        .add_extension(usage, critical=False)
        .add_extension(authority, critical=False)
        .sign(root_key, hashes.SHA256())
    )
    _write(folder / "key.pem", _key_pem(key), 0o600)
    _write(folder / "chain.pem", leaf.public_bytes(_PEM) + root.public_bytes(_PEM), 0o644)


def _is_current(folder: Path, root: x509.Certificate) -> bool:
    try:
        leaf = SigningIdentity.load(folder).certificates[0]
        leaf.verify_directly_issued_by(root)
    except Exception:  # noqa: BLE001  whatever is wrong with it, a new one is made
        return False
    remaining = leaf.not_valid_after_utc - dt.datetime.now(dt.UTC)
    return remaining > dt.timedelta(days=RENEWAL_DAYS)


def _subject(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "imagepipe"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    days: int,
    *,
    is_ca: bool,
) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    usage = x509.KeyUsage(
        digital_signature=not is_ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=is_ca,
        crl_sign=is_ca,
        encipher_only=False,
        decipher_only=False,
    )
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(minutes=5))
        .not_valid_after(now + dt.timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(identifier, critical=False)
    )


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        _PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write(path: Path, data: bytes, mode: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".pem-")  # mode 0600
    with os.fdopen(handle, "wb") as file:
        file.write(data)
    os.chmod(temporary, mode)
    os.replace(temporary, path)


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    try:
        import fcntl
    except ImportError:  # not POSIX: one process at a time has to do
        yield
        return
    with open(folder / ".lock", "wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
