from __future__ import annotations

import io
import multiprocessing
import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from PIL import Image

from imagepipe.credentials import (
    CredentialReport,
    CredentialSigner,
    PictureMetadata,
    PreparedParent,
    SigningFailed,
    SigningIdentity,
    SourceType,
    UnsupportedFormat,
    build_xmp,
    create_development_identities,
    read_xmp,
    verify,
    write_xmp,
)

pytest.importorskip("c2pa")

RECIPE = "ab" * 32
GENERATION = {"recipe_sha256": RECIPE, "model": "tiny-ldm"}
GENERATED = SourceType.TRAINED_ALGORITHMIC_MEDIA


@pytest.fixture(scope="session")
def cms(cms_identity: SigningIdentity) -> CredentialSigner:
    return CredentialSigner(cms_identity)


@pytest.fixture(scope="session")
def edge(edge_identity: SigningIdentity) -> CredentialSigner:
    return CredentialSigner(edge_identity)


def create(signer: CredentialSigner, data: bytes, mime: str) -> bytes:
    return signer.sign_created(
        data,
        mime,
        title="Sunset",
        generator="diffusers",
        model="tiny-ldm",
        recipe_sha256=RECIPE,
        source_type=GENERATED,
    )


@pytest.fixture(scope="session")
def master(cms: CredentialSigner, pictures: dict[str, bytes]) -> bytes:
    return create(cms, pictures["image/png"], "image/png")


@pytest.fixture(scope="session")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> CredentialSigner:
    folder = tmp_path_factory.mktemp("foreign")
    create_development_identities(folder)
    return CredentialSigner(SigningIdentity.load(folder / "cms"))


def test_a_created_picture(
    cms: CredentialSigner, pictures: dict[str, bytes], mime: str, anchors: bytes
) -> None:
    signed = create(cms, pictures[mime], mime)
    assert verify(signed, mime, anchors) == CredentialReport(
        "trusted",
        source_type=GENERATED,
        claim_generator="imagepipe 0.1.0",
        actions=("c2pa.created",),
        chain=("Sunset",),
        failures=(),
        generation=GENERATION,
    )
    assert len(signed) - len(pictures[mime]) < 6_000
    with Image.open(io.BytesIO(signed)) as image:
        image.load()


def test_a_rendition_leads_back_to_its_master(
    edge: CredentialSigner,
    master: bytes,
    pictures: dict[str, bytes],
    mime: str,
    anchors: bytes,
) -> None:
    parent = edge.prepare_parent(master, "image/png", title="Sunset")
    actions = ("c2pa.resized", "c2pa.transcoded")
    rendition = edge.sign_rendition(
        pictures[mime], mime, PreparedParent.from_bytes(parent.to_bytes()), actions
    )
    assert verify(rendition, mime, anchors) == CredentialReport(
        "trusted",
        source_type=GENERATED,
        claim_generator="imagepipe 0.1.0",
        actions=("c2pa.created", "c2pa.opened", "c2pa.resized", "c2pa.transcoded"),
        chain=("Sunset", "rendition"),
        failures=(),
        generation=GENERATION,
    )


def test_a_sidecar_speaks_for_exactly_the_picture_it_was_made_for(
    edge: CredentialSigner,
    master: bytes,
    pictures: dict[str, bytes],
    mime: str,
    anchors: bytes,
) -> None:
    picture, parent = pictures[mime], edge.prepare_parent(master, "image/png", title="Sunset")
    sidecar = edge.sign_rendition_beside(picture, mime, parent, ("c2pa.resized",))
    embedded = edge.sign_rendition(picture, mime, parent, ("c2pa.resized",))

    report = verify(picture, mime, anchors, sidecar=sidecar)

    assert report.state == "trusted"
    assert report == verify(embedded, mime, anchors)
    assert verify(picture, mime, sidecar=sidecar).state == "valid"
    assert verify(picture, mime, anchors).state == "none"
    assert verify(embedded, mime, anchors, sidecar=sidecar).state == "invalid"
    for place in (60, len(picture) // 2, len(picture) - 20):
        changed = bytearray(picture)
        changed[place] ^= 1
        assert verify(bytes(changed), mime, anchors, sidecar=sidecar).state == "invalid"
    altered = sidecar.replace(b"tiny-ldm", b"tiny-LDM")
    for wrong in (b"", b"no manifest", sidecar[:-900], altered):
        assert verify(picture, mime, anchors, sidecar=wrong).state != "trusted"


def test_signatures_leave_the_root_out(
    cms_identity: SigningIdentity,
    edge: CredentialSigner,
    master: bytes,
    pictures: dict[str, bytes],
) -> None:
    leaf, root = cms_identity.certificates

    assert x509.load_pem_x509_certificates(cms_identity.chain_pem) == [leaf]
    alone = SigningIdentity(cms_identity.chain_pem, cms_identity.key_pem)
    assert alone.chain_pem == cms_identity.chain_pem
    assert root.public_bytes(serialization.Encoding.DER) not in master
    assert leaf.public_bytes(serialization.Encoding.DER) in master
    picture = pictures["image/webp"]
    rendition = edge.sign_rendition(
        picture, "image/webp", edge.prepare_parent(master, "image/png")
    )
    assert len(rendition) - len(picture) < 9_000


def test_one_changed_byte_is_invalid(
    cms: CredentialSigner,
    edge: CredentialSigner,
    master: bytes,
    pictures: dict[str, bytes],
    mime: str,
    anchors: bytes,
) -> None:
    parent = edge.prepare_parent(master, "image/png")
    for signed in (
        create(cms, pictures[mime], mime),
        edge.sign_rendition(pictures[mime], mime, parent),
    ):
        place = -40 if mime == "image/png" else -20
        if mime == "image/webp":  # the manifest is the last chunk
            place = 200
        changed = bytearray(signed)
        changed[place] ^= 0x01
        report = verify(bytes(changed), mime, anchors)
        assert report.state == "invalid"
        assert report.failures != ()


def test_a_picture_without_a_credential(mime: str, pictures: dict[str, bytes]) -> None:
    assert verify(pictures[mime], mime) == CredentialReport("none")


def test_an_unknown_root_is_valid_but_not_trusted(
    foreign: CredentialSigner, pictures: dict[str, bytes], mime: str, anchors: bytes
) -> None:
    signed = create(foreign, pictures[mime], mime)
    report = verify(signed, mime, anchors)
    assert (report.state, report.failures) == ("valid", ("signingCredential.untrusted",))
    assert verify(signed, mime).state == "valid"


def test_a_foreign_master_under_our_rendition_is_not_trusted(
    foreign: CredentialSigner,
    edge: CredentialSigner,
    pictures: dict[str, bytes],
    anchors: bytes,
) -> None:
    parent = edge.prepare_parent(
        create(foreign, pictures["image/png"], "image/png"), "image/png"
    )
    rendition = edge.sign_rendition(pictures["image/webp"], "image/webp", parent)
    report = verify(rendition, "image/webp", anchors)
    assert (report.state, report.failures) == ("valid", ("signingCredential.untrusted",))
    both = anchors + foreign.identity.certificates_pem.split(b"-----END CERTIFICATE-----\n")[1]
    both += b"-----END CERTIFICATE-----\n"
    assert verify(rendition, "image/webp", both).state == "trusted"


def test_a_tampered_master_is_no_parent(edge: CredentialSigner, master: bytes) -> None:
    changed = bytearray(master)
    changed[-40] ^= 0x01
    with pytest.raises(SigningFailed, match="assertion.dataHash.mismatch"):
        edge.prepare_parent(bytes(changed), "image/png")


def test_a_tampered_parent_is_reported_where_it_was_signed_all_the_same(
    cms: CredentialSigner, master: bytes, anchors: bytes
) -> None:
    changed = bytearray(master)
    changed[-40] ^= 0x01
    uploaded = cms.sign_opened(bytes(changed), "image/png", title="Upload")
    report = verify(uploaded, "image/png", anchors)
    assert report.state == "invalid"
    assert "assertion.dataHash.mismatch" in report.failures


def test_a_tampered_archive_gives_no_trusted_rendition(
    edge: CredentialSigner, master: bytes, pictures: dict[str, bytes], anchors: bytes
) -> None:
    parent = edge.prepare_parent(master, "image/png")
    for needle in (b"tiny-ldm", RECIPE[:16].encode()):
        at = parent.archive.index(needle)
        archive = bytearray(parent.archive)
        archive[at] ^= 0x01
        changed = PreparedParent(bytes(archive))
        try:
            signed = edge.sign_rendition(pictures["image/webp"], "image/webp", changed)
        except SigningFailed:
            continue
        assert verify(signed, "image/webp", anchors).state == "invalid"


def test_an_uploaded_picture_keeps_the_declared_source_type(
    cms: CredentialSigner, pictures: dict[str, bytes], mime: str, anchors: bytes
) -> None:
    signed = cms.sign_opened(
        pictures[mime], mime, title="holiday.jpg", source_type=SourceType.DIGITAL_CAPTURE
    )
    report = verify(signed, mime, anchors)
    assert report.state == "trusted"
    assert report.source_type == SourceType.DIGITAL_CAPTURE
    assert report.actions == ("c2pa.opened",)
    assert report.chain == ("holiday.jpg", "holiday.jpg")
    assert report.generation is None


def test_an_uploaded_credential_speaks_for_itself(
    cms: CredentialSigner, edge: CredentialSigner, master: bytes, anchors: bytes
) -> None:
    signed = cms.sign_opened(
        master, "image/png", title="Again", source_type=SourceType.DIGITAL_CAPTURE
    )
    report = verify(signed, "image/png", anchors)
    assert report.state == "trusted"
    assert report.chain == ("Sunset", "Again")
    assert report.source_type == GENERATED
    assert report.generation == GENERATION


def test_an_edited_picture_states_the_composite(
    cms: CredentialSigner,
    edge: CredentialSigner,
    pictures: dict[str, bytes],
    anchors: bytes,
) -> None:
    upload = cms.sign_opened(
        pictures["image/jpeg"],
        "image/jpeg",
        title="Photo",
        source_type=SourceType.DIGITAL_CAPTURE,
    )
    edited = cms.sign_edited(
        pictures["image/png"],
        "image/png",
        cms.prepare_parent(upload, "image/jpeg"),
        title="Inpainted",
        generator="diffusers",
        model="inpainter",
        recipe_sha256=RECIPE,
        source_type=SourceType.COMPOSITE_WITH_TRAINED_ALGORITHMIC_MEDIA,
    )
    rendition = edge.sign_rendition(
        pictures["image/webp"], "image/webp", edge.prepare_parent(edited, "image/png")
    )
    report = verify(rendition, "image/webp", anchors)
    assert report.state == "trusted"
    assert report.source_type == SourceType.COMPOSITE_WITH_TRAINED_ALGORITHMIC_MEDIA
    assert report.chain == ("Photo", "Photo", "Inpainted", "rendition")
    assert report.generation == {"recipe_sha256": RECIPE, "model": "inpainter"}


def test_xmp_survives_signing(
    cms: CredentialSigner, pictures: dict[str, bytes], mime: str, anchors: bytes
) -> None:
    packet = build_xmp(PictureMetadata(title="Sunset", source_type=GENERATED))
    if mime == "image/avif":
        buffer = io.BytesIO()
        with Image.open(io.BytesIO(pictures[mime])) as image:
            image.save(buffer, "AVIF", xmp=packet)
        data = buffer.getvalue()
    else:
        data = write_xmp(pictures[mime], mime, packet)
    signed = create(cms, data, mime)
    assert read_xmp(signed, mime) == packet
    assert verify(signed, mime, anchors).state == "trusted"


def test_a_packet_written_after_signing_breaks_the_credential(
    master: bytes, anchors: bytes
) -> None:
    later = write_xmp(master, "image/png", build_xmp(PictureMetadata(title="Other")))
    assert verify(later, "image/png", anchors).state == "invalid"


@pytest.mark.parametrize("data", [b"", b"<html></html>", b"\xff\xd8\xff\xe0", b"\0" * 999])
def test_bytes_that_are_no_picture(cms: CredentialSigner, data: bytes) -> None:
    for kind in ("image/jpeg", "image/png", "image/webp", "image/avif"):
        assert verify(data, kind).state in ("invalid", "none")
        with pytest.raises(SigningFailed):
            create(cms, data, kind)


def test_other_types_are_refused(cms: CredentialSigner, pictures: dict[str, bytes]) -> None:
    with pytest.raises(UnsupportedFormat):
        create(cms, pictures["image/png"], "image/tiff")
    with pytest.raises(UnsupportedFormat):
        verify(pictures["image/png"], "text/html")


@pytest.mark.parametrize("data", [b"", b"garbage", b"imagepipe parent credential 1\ngarbage"])
def test_bytes_that_are_no_prepared_parent(
    edge: CredentialSigner, pictures: dict[str, bytes], data: bytes
) -> None:
    with pytest.raises(SigningFailed):
        parent = PreparedParent.from_bytes(data)
        edge.sign_rendition(pictures["image/webp"], "image/webp", parent)


def test_threads_share_one_signer(
    edge: CredentialSigner, master: bytes, pictures: dict[str, bytes], anchors: bytes
) -> None:
    parent = edge.prepare_parent(master, "image/png")

    def work(number: int) -> str:
        mime = ("image/jpeg", "image/png", "image/webp")[number % 3]
        return verify(edge.sign_rendition(pictures[mime], mime, parent), mime, anchors).state

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(work, range(96))) == ["trusted"] * 96


def sign_in_child(
    signer: CredentialSigner, data: bytes, parent: PreparedParent, target: Path
) -> None:
    target.write_bytes(signer.sign_rendition(data, "image/webp", parent))


def test_a_signer_works_on_both_sides_of_a_fork(
    edge: CredentialSigner,
    master: bytes,
    pictures: dict[str, bytes],
    anchors: bytes,
    tmp_path: Path,
) -> None:
    parent = edge.prepare_parent(master, "image/png")
    data = pictures["image/webp"]
    child = multiprocessing.get_context("fork").Process(
        target=sign_in_child, args=(edge, data, parent, tmp_path / "signed")
    )
    child.start()
    child.join(30)
    assert child.exitcode == 0
    for signed in (
        (tmp_path / "signed").read_bytes(),
        edge.sign_rendition(data, "image/webp", parent),
    ):
        assert verify(signed, "image/webp", anchors).state == "trusted"


def test_keys_do_not_leak(cms: CredentialSigner, cms_identity: SigningIdentity) -> None:
    assert "PRIVATE" not in repr(cms) + repr(vars(cms))
    with pytest.raises(TypeError):
        pickle.dumps(cms)
    broken = CredentialSigner(SigningIdentity(b"no chain", cms_identity.key_pem))
    with pytest.raises(SigningFailed) as caught:
        create(broken, b"", "image/png")
    assert "PRIVATE" not in str(caught.value)
