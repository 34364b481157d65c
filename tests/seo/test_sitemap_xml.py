from __future__ import annotations

import datetime as dt
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from imagepipe.seo.entries import ListedImage, SitemapEntry
from imagepipe.seo.sitemap_xml import write_entries, write_index

SCHEMA = etree.XMLSchema(etree.parse(Path(__file__).with_name("sitemap.xsd")))
addresses = st.from_regex(r"https://[a-z]{1,9}\.example/[a-z&<>'\"äß/-]{0,30}", fullmatch=True)
moments = st.datetimes(
    dt.datetime(1990, 1, 1), dt.datetime(2100, 1, 1), timezones=st.just(dt.UTC)
)
images = st.builds(
    ListedImage, addresses, st.none(), st.text(max_size=30), st.text(max_size=30), addresses
)
entries = st.builds(
    SitemapEntry,
    addresses,
    st.lists(images, max_size=3).map(tuple),
    st.none() | moments,
)


@given(st.lists(entries, max_size=4), st.booleans())
def test_whatever_people_write_is_valid(listed: list[SitemapEntry], details: bool) -> None:
    tree = etree.fromstring(b"".join(write_entries(listed, details=details)))
    SCHEMA.assertValid(tree)
    found = [url[0].text for url in tree]
    assert found == [entry.location for entry in listed]
    shown = [element[0].text for element in tree.iter("{*}image")]
    assert shown == [image.location for entry in listed for image in entry.images]


def test_pieces_do_not_grow_with_the_file() -> None:
    entry = SitemapEntry(
        "https://a.example/", (ListedImage("https://b.example/" + "x" * 200),) * 20
    )
    pieces = [len(piece) for piece in write_entries([entry] * 500)]
    assert len(pieces) > 30
    assert max(pieces) < 80_000


def test_the_index_is_in_order() -> None:
    listed = [f"https://a.example/{number}.xml" for number in range(3)]
    tree = etree.fromstring(b"".join(write_index(listed)))
    assert [sitemap[0].text for sitemap in tree] == listed
