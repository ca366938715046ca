"""What kind of document some bytes are, told by the bytes themselves.

The Content-Type header decides only between kinds that look alike (a table with commas or prose); the URL's suffix is
never asked, for servers get both wrong. Not a validator: the first bytes and the names inside a zip say enough.
Source: WHATWG MIME Sniffing; ECMA-376 part 2 (office files are zips); MS-CFB (the older ones are not).
"""

import csv
import io
import re
import zipfile
from enum import StrEnum

from webfarer.web.charset import decode, is_binary

_SAMPLE = 20_000
_HEAD = 2_000
_ROWS = 50
_PDF_JUNK = 1024  # readers accept that many bytes before the magic number
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP = b"PK\x03\x04"
_MARKUP = re.compile(
    r"<(?:!doctype|html|head|body|title|meta|div|p|a|table|h\d|ul|frameset|script|\?xml)\b", re.IGNORECASE
)
_FEED = re.compile(r"<(?:rss|feed|rdf:RDF)[\s>]")
_XML = re.compile(r"\s*<\?xml\b")
_HTML = re.compile(r"<(?:!doctype\s+html|html)\b", re.IGNORECASE)


class Kind(StrEnum):
    """What a body is; OLD is an office file that is encrypted or older than 2007, BINARY anything without text."""

    HTML = "html"
    FEED = "feed"
    XML = "xml"
    JSON = "json"
    CSV = "csv"
    TEXT = "text"
    PDF = "pdf"
    DOCX = "docx"
    PPTX = "pptx"
    SHEET = "sheet"
    OLD = "old"
    BINARY = "binary"


def sniff(body: bytes, content_type: str = "") -> Kind:
    """Return what `body` is; `content_type` is the header, a hint."""
    # a sample cut inside a character does no harm, and is decoded as the whole will be
    return sniff_bytes(body, content_type) or sniff_text(decode(body[:_SAMPLE], content_type)[0], content_type)


def sniff_bytes(body: bytes, content_type: str = "") -> Kind | None:
    """Return what `body` is, None when it is text of some kind."""
    head = body[:_PDF_JUNK]
    if b"%PDF-" in head and not head.lstrip().startswith(b"<"):
        return Kind.PDF
    if body.startswith(_ZIP):
        return _zipped(body)
    if body.startswith(_OLE):
        return Kind.SHEET if "Workbook".encode("utf-16-le") in body else Kind.OLD
    return Kind.BINARY if is_binary(body, content_type) else None


def _zipped(body: bytes) -> Kind:
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError):
        return Kind.BINARY
    for folder, kind in (("word/", Kind.DOCX), ("ppt/", Kind.PPTX), ("xl/", Kind.SHEET)):
        if "[Content_Types].xml" in names and any(name.startswith(folder) for name in names):
            return kind
    return Kind.SHEET if b"opendocument.spreadsheet" in body[:200] else Kind.BINARY


def sniff_text(text: str, content_type: str = "") -> Kind:
    """Return what decoded text is."""
    declared, head = content_type.partition(";")[0].strip().lower(), text[:_HEAD]
    html = _HTML.search(head)
    if _FEED.search(head) and not html and declared != "text/plain":
        return Kind.FEED
    if "html" in declared:
        return Kind.HTML
    if "xml" in declared:
        return Kind.HTML if html else Kind.XML
    if "json" in declared:
        return Kind.JSON
    if "csv" in declared or "tab-separated" in declared:
        return Kind.CSV
    if not declared.startswith("text/"):
        if _MARKUP.search(head):
            return Kind.HTML if html or not _XML.match(head) else Kind.XML
        if head.lstrip()[:1] in ("{", "["):
            return Kind.JSON
    return Kind.CSV if delimiter_of(text) else Kind.TEXT


def delimiter_of(text: str, *, declared: bool = False) -> str:
    """Return the delimiter with which every line has the same number of fields, or "" when there is none.

    Without a declaration two columns between commas are not enough: prose has them too.
    """
    text = text[:_SAMPLE]
    if len(text) == _SAMPLE:
        text = text.rpartition("\n")[0]  # the last line may be cut
    for delimiter in "\t;,|":
        try:
            rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if row][:_ROWS]
        except csv.Error:
            continue
        widths = {len(row) for row in rows}
        least = 2 if declared or delimiter == "\t" else 3
        if len(widths) == 1 and min(widths) >= least and (declared or len(rows) >= 3):
            return delimiter
    return "," if declared else ""
