"""Build and read an XMP packet with IPTC, PLUS and Dublin Core properties.

IPTC Photo Metadata Standard 2025.1: https://iptc.org/std/photometadata/specification/
XMP: ISO 16684-1. Reading treats the packet as hostile: no entities, no document type,
no network, limited size.
"""

from __future__ import annotations

import re

from lxml import etree

from imagepipe.credentials.exceptions import MalformedXmp
from imagepipe.credentials.metadata import PictureMetadata, normalise_source_type

LARGEST_PACKET = 1024 * 1024  # bytes

_NAMESPACES = {
    "x": "adobe:ns:meta/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "dc": "http://purl.org/dc/elements/1.1/",
    "photoshop": "http://ns.adobe.com/photoshop/1.0/",
    "xmpRights": "http://ns.adobe.com/xap/1.0/rights/",
    "plus": "http://ns.useplus.org/ldf/xmp/1.0/",
    "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
    "Iptc4xmpCore": "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/",
}
_PLUS_VOCABULARY = "http://ns.useplus.org/ldf/vocab/"
_NO_TRAINING = _PLUS_VOCABULARY + "DMI-PROHIBITED-AIMLTRAINING"
_PROHIBITED = _PLUS_VOCABULARY + "DMI-PROHIBITED"

_LOCALISED = {
    "title": "dc:title",
    "description": "dc:description",
    "rights": "dc:rights",
    "alt": "Iptc4xmpCore:AltTextAccessibility",
}
_SIMPLE = {
    "credit": "photoshop:Credit",
    "web_statement": "xmpRights:WebStatement",
    "source_type": "Iptc4xmpExt:DigitalSourceType",
    "ai_system": "Iptc4xmpExt:AISystemUsed",
    "ai_system_version": "Iptc4xmpExt:AISystemVersionUsed",
    "prompt": "Iptc4xmpExt:AIPromptInformation",
    "prompt_writer": "Iptc4xmpExt:AIPromptWriterName",
}
_LICENSOR = {"licensor": "plus:LicensorName", "licensor_url": "plus:LicensorURL"}

_HEADER = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'.encode()
_TRAILER = b'<?xpacket end="w"?>'
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def _name(prefixed: str) -> str:
    prefix, local = prefixed.split(":")
    return f"{{{_NAMESPACES[prefix]}}}{local}"


_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
_DESCRIPTION, _LI, _ABOUT = _name("rdf:Description"), _name("rdf:li"), _name("rdf:about")


def build_xmp(metadata: PictureMetadata) -> bytes:
    """The packet as UTF-8, short: plain properties are attributes, and nothing is padded.

    Characters that XML cannot hold are left out.
    """
    root = etree.Element(_name("x:xmpmeta"), nsmap=_NAMESPACES)
    rdf = etree.SubElement(root, _name("rdf:RDF"))
    description = etree.SubElement(rdf, _DESCRIPTION, {_ABOUT: ""})
    for field, tag in _LOCALISED.items():
        if text := _xml_text(getattr(metadata, field)):
            item = _item(description, tag, "rdf:Alt")
            item.set(_LANGUAGE, "x-default")
            item.text = text
    for field, tag in _SIMPLE.items():
        _attribute(description, tag, getattr(metadata, field))
    if creator := _xml_text(metadata.creator):
        _item(description, "dc:creator", "rdf:Seq").text = creator
    if metadata.rights or metadata.web_statement:
        _attribute(description, "xmpRights:Marked", "True")
    if metadata.licensor or metadata.licensor_url:
        licensor = _item(description, "plus:Licensor", "rdf:Seq")
        licensor.set(_name("rdf:parseType"), "Resource")
        for field, tag in _LICENSOR.items():
            _property(licensor, tag, getattr(metadata, field))
    if metadata.no_training:
        _attribute(description, "plus:DataMining", _NO_TRAINING)
    etree.cleanup_namespaces(root)
    return b"".join((_HEADER, etree.tostring(root, encoding="utf-8"), _TRAILER))


def parse_xmp(packet: bytes) -> PictureMetadata:
    """Read what `build_xmp` writes, and the same properties as other programs write them.

    Raises MalformedXmp. A packet without any of these properties gives empty metadata.
    """
    descriptions = list(_parse(packet).iter(_DESCRIPTION))
    values: dict[str, str] = {}
    for field, tag in {**_LOCALISED, **_SIMPLE, "creator": "dc:creator"}.items():
        values[field] = _find(descriptions, tag)
    licensors = [
        holder
        for description in descriptions
        for element in description.iterfind(_name("plus:Licensor"))
        for holder in element.iter(_LI, _DESCRIPTION)
    ]
    for field, tag in _LICENSOR.items():
        values[field] = _find(licensors, tag)
    prompt = values.pop("prompt") or None
    values["source_type"] = normalise_source_type(values["source_type"])
    mining = _find(descriptions, "plus:DataMining")
    return PictureMetadata(**values, prompt=prompt, no_training=mining.startswith(_PROHIBITED))


def _parse(packet: bytes) -> etree._Element:
    if len(packet) > LARGEST_PACKET:
        raise MalformedXmp(f"the XMP packet is larger than {LARGEST_PACKET} bytes")
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
    )
    try:
        root = etree.fromstring(packet.rstrip(b"\0 \t\r\n"), parser)
    except (etree.XMLSyntaxError, ValueError):
        raise MalformedXmp("the XMP packet is not well-formed XML") from None
    if root.getroottree().docinfo.doctype:
        raise MalformedXmp("the XMP packet declares a document type")
    if root.tag not in (_name("x:xmpmeta"), _name("rdf:RDF")):
        raise MalformedXmp("the packet is XML, but not XMP")
    return root


def _find(holders: list[etree._Element], tag: str) -> str:
    """The first value of a property, which may be an element or an attribute."""
    name = _name(tag)
    for holder in holders:
        if value := holder.get(name):
            return str(value)
        for element in holder.iterfind(name):
            if value := _value(element):
                return value
    return ""


def _value(element: etree._Element) -> str:
    items = list(element.iter(_LI))
    if not items:
        return str(element.text or element.get(_name("rdf:resource")) or "")
    default = (item for item in items if item.get(_LANGUAGE) == "x-default")
    return str(next(default, items[0]).text or "")


def _item(parent: etree._Element, tag: str, container: str) -> etree._Element:
    collection = etree.SubElement(etree.SubElement(parent, _name(tag)), _name(container))
    return etree.SubElement(collection, _LI)


def _attribute(description: etree._Element, tag: str, value: str | None) -> None:
    if text := _xml_text(value):
        description.set(_name(tag), text)


def _property(parent: etree._Element, tag: str, value: str | None) -> None:
    if text := _xml_text(value):
        etree.SubElement(parent, _name(tag)).text = text


def _xml_text(value: str | None) -> str:
    return _NOT_XML.sub("", value or "")
