"""Content types told by the bytes."""

import json

import pytest
from document_kit import DRAFT, office, scan
from hypothesis import given
from hypothesis import strategies as st

from webfarer.evals.benches._read_documents import make_docx, make_pdf, make_pptx, make_xlsx
from webfarer.web.extract import read_page
from webfarer.web.sniff import Kind, delimiter_of, sniff

URL = "http://site.example/data"
LIES = ("", "text/html", "application/octet-stream", "text/plain; charset=utf-8", "application/zip", "image/png")
RSS = """<?xml version="1.0"?><rss version="2.0"><channel><title>News &amp; more</title><link>http://site.example/</link>
<item><title>First &lt;b&gt;item&lt;/b&gt;</title><link>http://site.example/1?a=1&amp;b=2</link>
<pubDate>Tue, 02 Apr 2024 10:00:00 GMT</pubDate><description><![CDATA[<p>What <i>happened</i>.</p>]]></description>
</item>
</channel></rss>"""
ATOM = """<feed xmlns="http://www.w3.org/2005/Atom"><title>Log</title><entry><title type="text">One</title>
<link rel="self" href="http://site.example/self"/><link rel="alternate" href="/one"/>
<updated>2024-05-06T00:00:00Z</updated>
<summary>Words of it.</summary></entry></feed>"""


@pytest.mark.parametrize("header", LIES)
@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (make_pdf(DRAFT), Kind.PDF),
        (b"\n\n" + make_pdf(DRAFT), Kind.PDF),
        (scan(), Kind.PDF),
        (make_docx(DRAFT), Kind.DOCX),
        (make_xlsx(DRAFT), Kind.SHEET),
        (make_pptx(DRAFT), Kind.PPTX),
        (office({"a.txt": b"hello"}), Kind.BINARY),
        (b"PK\x03\x04 half a zip", Kind.BINARY),
        (b"\x89PNG\r\n\x1a\n", Kind.BINARY),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(99), Kind.OLD),
    ],
)
def test_binary_kinds_whatever_the_header_says(body: bytes, kind: Kind, header: str) -> None:
    assert sniff(body, header) == kind


@pytest.mark.parametrize(
    ("text", "header", "kind"),
    [
        ("<!doctype html><p>x", "", Kind.HTML),
        ("<p>The format %PDF-1.4 is old.</p>", "text/html", Kind.HTML),
        ("words of no kind", "text/html", Kind.HTML),
        ("<html></html>", "text/plain", Kind.TEXT),
        (RSS, "text/html", Kind.FEED),
        (ATOM, "", Kind.FEED),
        ('<?xml version="1.0"?><data><p>1</p></data>', "text/xml", Kind.XML),
        (json.dumps({"a": ["<p>"]}), "application/json", Kind.JSON),
        (json.dumps([1, 2]), "", Kind.JSON),
        ("a,b\n1,2\n", "text/csv", Kind.CSV),
        ("a,b,c\n1,2,3\n4,5,6\n", "text/plain", Kind.CSV),
        ("a\tb\n1\t2\n3\t4\n", "", Kind.CSV),
        ("Well, yes.\nNo, never.\nMaybe, then.\n", "text/plain", Kind.TEXT),
        ("# Title\n\nA line, of prose.\n", "text/markdown", Kind.TEXT),
    ],
)
def test_textual_kinds(text: str, header: str, kind: Kind) -> None:
    assert sniff(text.encode(), header) == kind


@given(st.binary(max_size=300), st.sampled_from(LIES))
def test_anything_is_of_some_kind(body: bytes, header: str) -> None:
    assert sniff(body, header) in Kind


@given(st.lists(st.lists(st.text("abc 12", min_size=1), min_size=3, max_size=3), min_size=3), st.sampled_from("\t;,|"))
def test_a_table_is_known_by_its_delimiter(rows: list[list[str]], delimiter: str) -> None:
    assert delimiter_of("\n".join(delimiter.join(row) for row in rows)) == delimiter


def test_a_csv_is_a_table() -> None:
    body = b'name;amount\n"Rent; half";120\nA|B;"two\nlines"\n'
    page = read_page(body, url=URL, content_type="text/csv")
    assert page.markdown == "| name | amount |\n| --- | --- |\n| Rent; half | 120 |\n| A\\|B | two lines |"


def test_feeds_are_pages_with_links() -> None:
    page = read_page(RSS.encode(), url=URL, content_type="application/rss+xml")
    assert page.title == "News & more"
    assert [(link.url, link.label) for link in page.links] == [("http://site.example/1?a=1&b=2", "First item")]
    assert page.markdown.endswith("## First item\n\nTue, 02 Apr 2024 10:00:00 GMT\n\nWhat happened .")
    page = read_page(ATOM.encode(), url=URL, content_type="text/xml")
    assert [(link.url, link.label) for link in page.links] == [("http://site.example/one", "One")]
    assert "2024-05-06" in page.markdown
    assert "Words of it." in page.markdown
