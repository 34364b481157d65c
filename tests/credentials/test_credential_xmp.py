from __future__ import annotations

from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from imagepipe.credentials import (
    MalformedXmp,
    PictureMetadata,
    SourceType,
    build_xmp,
    parse_xmp,
)

EXAMPLE = PictureMetadata(
    title="Sunset",
    description="A flat illustration of a sunset",
    alt="Orange sun over hills",
    creator="imagepipe",
    credit="AI-generated: imagepipe",
    rights="© Example & Co",
    web_statement="https://example.com/licence",
    licensor="Example",
    licensor_url="https://example.com/licensing",
    source_type=SourceType.TRAINED_ALGORITHMIC_MEDIA,
    ai_system="tiny-ldm",
    ai_system_version="sha256:abc",
    prompt='sunset over <hills> & "sea"',
    prompt_writer="Jane Editor",
)

xml_text = st.text(
    st.characters(
        exclude_categories=["Cs", "Cc"], exclude_characters=["\ufffe", "\uffff"]
    ).filter(lambda character: ord(character) & 0xFFFE != 0xFFFE or ord(character) > 0xFFFF),
    max_size=40,
)
metadata = st.builds(
    PictureMetadata,
    **{
        field.name: xml_text
        for field in fields(PictureMetadata)
        if field.name not in ("prompt", "no_training", "source_type")
    },
    source_type=st.sampled_from(["", *SourceType]),
    prompt=st.none() | xml_text.filter(bool),
    no_training=st.booleans(),
)


@given(metadata)
def test_metadata_survives_the_packet(stated: PictureMetadata) -> None:
    assert parse_xmp(build_xmp(stated)) == stated


@given(metadata)
def test_metadata_survives_as_credit(stated: PictureMetadata) -> None:
    assert PictureMetadata.from_credit(stated.to_credit(), stated.source_type) == stated


@given(st.text(max_size=60))
def test_any_text_gives_a_readable_packet(text: str) -> None:
    parse_xmp(build_xmp(PictureMetadata(title=text, creator=text, credit=text, licensor=text)))


@given(st.binary(max_size=300))
def test_random_bytes_are_malformed(data: bytes) -> None:
    with pytest.raises(MalformedXmp):
        parse_xmp(data)


def test_the_packet_uses_the_standard_names() -> None:
    packet = build_xmp(EXAMPLE)
    root = etree.fromstring(packet)
    prefixes = {
        "ext": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
        "core": "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/",
        "plus": "http://ns.useplus.org/ldf/xmp/1.0/",
        "rights": "http://ns.adobe.com/xap/1.0/rights/",
        "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
        "dc": "http://purl.org/dc/elements/1.1/",
        "photoshop": "http://ns.adobe.com/photoshop/1.0/",
    }
    expected = {
        "//@ext:DigitalSourceType": EXAMPLE.source_type,
        "//@ext:AISystemUsed": "tiny-ldm",
        "//@ext:AISystemVersionUsed": "sha256:abc",
        "//@ext:AIPromptInformation": EXAMPLE.prompt,
        "//@ext:AIPromptWriterName": "Jane Editor",
        "//core:AltTextAccessibility/rdf:Alt/rdf:li": EXAMPLE.alt,
        "//@plus:DataMining": "http://ns.useplus.org/ldf/vocab/DMI-PROHIBITED-AIMLTRAINING",
        "//plus:Licensor/rdf:Seq/rdf:li/plus:LicensorURL": EXAMPLE.licensor_url,
        "//@rights:WebStatement": EXAMPLE.web_statement,
        "//@rights:Marked": "True",
        "//dc:creator/rdf:Seq/rdf:li": "imagepipe",
        "//dc:rights/rdf:Alt/rdf:li": "© Example & Co",
        "//@photoshop:Credit": EXAMPLE.credit,
    }
    found = {
        path: root.xpath(f"string({path})", namespaces=prefixes) for path in expected
    }
    assert found == expected
    assert packet.startswith('<?xpacket begin="\ufeff"'.encode())
    assert packet.endswith(b'<?xpacket end="w"?>')


def test_a_private_prompt_is_not_written() -> None:
    packet = build_xmp(replace(EXAMPLE, prompt=None, prompt_writer=""))
    assert b"Prompt" not in packet
    assert parse_xmp(packet).prompt is None


def test_permission_to_train_is_not_a_prohibition() -> None:
    packet = build_xmp(replace(EXAMPLE, no_training=False))
    assert b"DataMining" not in packet
    assert not parse_xmp(packet).no_training


def test_properties_of_other_programs_are_read() -> None:
    packet = b"""<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
      xmlns:dc="http://purl.org/dc/elements/1.1/"
      xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/"
      xmlns:plus="http://ns.useplus.org/ldf/xmp/1.0/"
      xmlns:e="http://iptc.org/std/Iptc4xmpExt/2008-02-29/">
      <rdf:Description rdf:about="" photoshop:Credit="Agency"
        e:DigitalSourceType="https://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture"/>
      <rdf:Description rdf:about="">
        <dc:title><rdf:Alt><rdf:li xml:lang="de">Sonne</rdf:li>
          <rdf:li xml:lang="x-default">Sun</rdf:li></rdf:Alt></dc:title>
        <dc:creator><rdf:Bag><rdf:li>One</rdf:li><rdf:li>Two</rdf:li></rdf:Bag></dc:creator>
        <plus:Licensor><rdf:Seq><rdf:li><rdf:Description plus:LicensorName="Shop"/></rdf:li>
          </rdf:Seq></plus:Licensor>
        <plus:DataMining
          rdf:resource="http://ns.useplus.org/ldf/vocab/DMI-PROHIBITED"/>
      </rdf:Description></rdf:RDF>\0\0  """
    assert parse_xmp(packet) == PictureMetadata(
        title="Sun",
        creator="One",
        credit="Agency",
        licensor="Shop",
        source_type=SourceType.DIGITAL_CAPTURE,
        no_training=True,
    )


LAUGHS = "".join(
    f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' if n else '<!ENTITY l0 "ha">' for n in range(10)
)


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        b"\0\0",
        b"not XML",
        b"<html></html>",
        b"<a>" * 100_000,
        b"x" * 5_000_000,
        b"<a>" + b" " * 5_000_000 + b"</a>",
        '<?xml version="1.0" encoding="utf-8"?><a>ü</a>'.encode("latin-1"),
        b'<?xml version="1.0" encoding="klingon"?><a/>',
        build_xmp(EXAMPLE).decode().encode("utf-16")[:-3],
        f"<!DOCTYPE a [{LAUGHS}]><a>&l9;</a>".encode(),
        b'<!DOCTYPE a [<!ENTITY f SYSTEM "file:///etc/passwd">]><a>&f;</a>',
        b'<!DOCTYPE a SYSTEM "http://127.0.0.1:9/a.dtd"><a/>',
    ],
    ids=range(13),
)
def test_hostile_packets_are_malformed(packet: bytes) -> None:
    with pytest.raises(MalformedXmp):
        parse_xmp(packet)


def test_a_document_type_is_refused_even_around_genuine_xmp() -> None:
    packet = build_xmp(EXAMPLE)
    start = packet.index(b"<x:xmpmeta")
    declared = b'<!DOCTYPE x [<!ENTITY a "b">]>' + packet[start:]
    assert parse_xmp(packet[start:]) == EXAMPLE
    with pytest.raises(MalformedXmp, match="declares a document type"):
        parse_xmp(declared)
