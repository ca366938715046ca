"""PDF and office files as pages: read once by a confined process, then kept in the archive as they were read.

What is kept is the finished markdown with its links, so an offset into it stays true when a library reads the same
bytes differently next year. HTML and plain text are none of this module's business: they are read again each time.
Invariant: the same record gives the same page for as long as its archive exists.
"""

import json
from dataclasses import asdict, replace
from html import escape
from typing import Any

from webfarer.core.types import Link, Page, PageKind, Span
from webfarer.web.archive import Archive, Record
from webfarer.web.dates import iso_date
from webfarer.web.extract import read_page
from webfarer.web.sandbox import Confines, read_confined, read_confined_async
from webfarer.web.sniff import Kind, sniff

_CONFINED = (Kind.PDF, Kind.DOCX, Kind.PPTX, Kind.SHEET)
_NOWHERE = "http://document.invalid/"  # links of documents are absolute; the same bytes may lie at several addresses
_VERSION = 1


def page_of(archive: Archive, record: Record) -> Page:
    """Read an archived body of whatever kind.

    Raises:
        NotReadable: it holds no text.
        FetchError: reading it took too much time or memory.
    """
    kind = sniff(record.body, record.content_type)
    if kind not in _CONFINED:
        return read_page(
            record.body,
            url=record.final_url,
            content_type=record.content_type,
            page_id=record.id,
            language=record.headers.get("content-language", ""),
        )
    text = archive.text(record.sha256, _reader(kind))
    if text is None:
        text = _kept(archive, record, kind, read_confined(kind, record.body))
    return _unpacked(text, record)


async def prepare(archive: Archive, record: Record, confines: Confines = Confines()) -> None:
    """Make what :func:`page_of` would take long to make, without holding up the event loop.

    Raises:
        NotReadable: it holds no text.
        FetchError: reading it took too much time or memory.
    """
    kind = sniff(record.body, record.content_type)
    if kind in _CONFINED and archive.text(record.sha256, _reader(kind)) is None:
        _kept(archive, record, kind, await read_confined_async(kind, record.body, confines))


def _reader(kind: Kind) -> str:
    return f"{kind}/{_VERSION}"


def _kept(archive: Archive, record: Record, kind: Kind, read: dict[str, Any]) -> str:
    html = f"<!doctype html><title>{escape(read['title'])}</title><body>{read['html']}"
    page = read_page(html.encode("utf-8", "replace"), url=_NOWHERE, content_type="text/html; charset=utf-8")
    page = replace(page, date=iso_date(read["date"]), truncated=page.truncated or read["truncated"])
    kept = asdict(page)
    for name in ("id", "url", "canonical"):
        del kept[name]
    text = json.dumps(kept, ensure_ascii=False)
    archive.keep_text(record.sha256, _reader(kind), text)
    return archive.text(record.sha256, _reader(kind)) or text  # as it will be read ever after


def _unpacked(text: str, record: Record) -> Page:
    kept = json.loads(text)
    kept["links"] = tuple(Link(**link) for link in kept["links"])
    kept["spans"] = tuple((region, Span(*span)) for region, span in kept["spans"])
    kept["kind"] = PageKind(kept["kind"])
    return Page(id=record.id, url=record.final_url, canonical=record.final_url, **kept)
