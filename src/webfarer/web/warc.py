"""The archive's way out to other tools and back: WARC files, which web archives and crawlers read and write.

Out: one response record for each archived answer, and one for each redirect on the way; bodies lie decoded, so what the
headers say of their encoding is left out. The archive does not know a redirect's status, nor what was sent, so
redirects are written as 302 and there are no request records. In: responses of any WARC or ARC file, under their own
dates. Source: ISO 28500:2017 (WARC 1.1).
"""

import datetime
import io
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from http import HTTPStatus
from importlib.metadata import version
from itertools import pairwise
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from warcio.archiveiterator import ArchiveIterator
from warcio.recordbuilder import RecordBuilder
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from webfarer.core.errors import ConfigError, Refused, boundary
from webfarer.web.archive import Archive, Record
from webfarer.web.fetch import Response
from webfarer.web.guard import canonical_url

MAX_BODY_BYTES = 20_000_000
_MOVED = (301, 302, 303, 307, 308)
_MOST_MOVES = 10
_OF_THE_WIRE = ("content-encoding", "transfer-encoding", "content-length", "connection", "keep-alive")
_CODINGS = ("", "identity", "gzip", "deflate")  # what warcio undoes by itself
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_BREAKS = re.compile(r"[\r\n\0]+")
_PIECE = 65_536


@dataclass(slots=True)
class Imported:
    """What came of an import.

    Attributes:
        pages: answers kept, or kept already.
        redirects: URLs that lead to one of them.
        skipped: records left out, by reason.
    """

    pages: int = 0
    redirects: int = 0
    skipped: Counter[str] = field(default_factory=Counter)


def export_warc(archive: Archive, ids: Iterable[str], stream: BinaryIO) -> int:
    """Write the records of these ids to `stream` as a compressed WARC; return how many there were."""
    writer, builder = WARCWriter(stream, gzip=True), RecordBuilder(warc_version="1.1")
    software = {"software": f"webfarer/{version('webfarer')}", "format": "WARC File Format 1.1"}
    writer.write_record(builder.create_warcinfo_record("", software))
    count = 0
    for record in filter(None, map(archive.record, ids)):
        hops = [record.url, *record.redirects]
        for here, there in pairwise(hops):
            writer.write_record(_response(builder, record, here, 302, {"location": there}))
        kept = {name: value for name, value in record.headers.items() if name not in _OF_THE_WIRE}
        kept["content-length"] = str(len(record.body))
        writer.write_record(_response(builder, record, record.final_url, record.status, kept, record.body))
        count += 1
    return count


def import_warc(archive: Archive, stream: BinaryIO, max_bytes: int = MAX_BODY_BYTES) -> Imported:
    """Take the responses of a WARC or ARC file into the archive; a second import of the same file changes nothing.

    Args:
        archive: takes them.
        stream: the file, from its beginning; compressed record by record, or not at all.
        max_bytes: larger bodies are left out.

    Raises:
        ConfigError: the file is damaged; what came before the damage has been kept, and the message says how much.
    """
    reading = _Reading(archive, max_bytes)
    try:
        with boundary(ConfigError, "the WARC file cannot be read any further"):
            reading.read(stream)
    except ConfigError as error:
        reading.link()
        message = f"{error.message.strip()}; kept {reading.report.pages} pages that came before"
        raise ConfigError(message, pages=reading.report.pages) from error
    reading.link()
    return reading.report


def of_site(url: str, site: str) -> bool:
    """Say whether `url` lies on the host `site` (with its port, if it has one) or a subdomain of it."""
    host = urlsplit(url).netloc
    return host == site.lower() or host.endswith(f".{site.lower()}")


class _Reading:
    """One file being read; redirects are joined to what they lead to at the end, which may stand before them."""

    def __init__(self, archive: Archive, max_bytes: int) -> None:
        self._archive, self._max_bytes = archive, max_bytes
        self.report = Imported()
        self._found: dict[str, list[tuple[float, str]]] = {}  # URL → time and record id
        self._moves: dict[str, list[tuple[float, str]]] = {}  # URL → time and target

    def read(self, stream: BinaryIO) -> None:
        """Keep all responses and count what is left out. Raises ValueError when the file ends within a record."""
        records, end = ArchiveIterator(stream, arc2warc=True, check_digests=True), 0
        for record in records:
            problem = self._keep(record)
            if problem:
                self.report.skipped[problem] += 1
            end = records.get_record_offset() + records.get_record_length()
        stream.seek(end)
        if stream.read(_PIECE).strip(b"\r\n\0"):  # warcio takes the beginning of a record for the end of the file
            raise ValueError("the file ends within a record")

    def _keep(self, record: Any) -> str:
        if record.rec_type not in ("response", "revisit"):
            return "" if record.rec_type in ("warcinfo", "request", "metadata") else f"{record.rec_type} record"
        if record.rec_type == "revisit":
            return "revisit record"  # its body is in another record, perhaps of another file
        code = record.http_headers.get_statuscode() if record.http_headers else ""
        if not (code.isdecimal() and 100 <= int(code) <= 599):
            return "not HTTP"
        status, headers = int(code), _headers(record.http_headers.headers)
        try:
            url = canonical_url(record.rec_headers.get_header("WARC-Target-URI") or "")
            target = canonical_url(headers["location"], url) if status in _MOVED and "location" in headers else ""
        except Refused:
            return "unusable URL"
        body = self._body(record)
        if body is None:
            return "too large"
        if record.digest_checker is not None and record.digest_checker.passed is False:
            return "wrong digest"
        if headers.get("content-encoding", "").lower() not in _CODINGS:
            return "unknown content encoding"
        fetched = _time(record.rec_headers.get_header("WARC-Date") or "")
        if target:
            self._moves.setdefault(url, []).append((fetched or 0.0, target))
            return ""
        response = Response(url, url, status, headers, body, max(0, record.payload_length))
        kept = self._archive.keep(response, fetched=fetched)
        self._found.setdefault(url, []).append((kept.fetched, kept.id))
        self.report.pages += 1
        return ""

    def _body(self, record: Any) -> bytes | None:
        """Return the decoded body, or None when it is too large."""
        body, stream = bytearray(), record.content_stream()
        while piece := stream.read(_PIECE):
            body += piece
            if len(body) > self._max_bytes:
                return None
        while record.raw_stream.read(_PIECE):
            pass  # what follows the body's own end counts for digest and length
        if getattr(record.raw_stream, "limit", 1) > 0:  # without one the record's own head is damaged
            raise ValueError("the file ends within a record")
        return bytes(body)

    def link(self) -> None:
        """Keep an answer for each URL that redirects, directly or through others, to one that was found."""
        for url, moves in self._moves.items():
            for when, _ in moves:
                chain = self._chain(url, when)
                found = _nearest(self._found.get(chain[-1], ()), when)
                record = self._archive.record(found) if found else None
                if record is None:
                    self.report.skipped["redirect to what is not in the file"] += 1
                    continue
                response = Response(
                    url, record.final_url, record.status, record.headers, record.body, record.wire_bytes, tuple(chain)
                )
                self._archive.keep(response, fetched=when)
                self.report.redirects += 1

    def _chain(self, url: str, when: float) -> list[str]:
        """Return the URLs that `url` redirected to at that time, in order; `url` itself when it leads nowhere."""
        chain: list[str] = []
        target = _nearest(self._moves[url], when)
        while target and target not in (url, *chain) and len(chain) < _MOST_MOVES:
            chain.append(target)
            pages = [(time, "") for time, _ in self._found.get(target, ())]  # at other times it may have been a page
            target = _nearest([*pages, *self._moves.get(target, ())], when)
        return chain or [url]


def _nearest(dated: Iterable[tuple[float, str]], when: float) -> str | None:
    return min(dated, key=lambda pair: abs(pair[0] - when), default=(0.0, None))[1]


def _response(
    builder: RecordBuilder, record: Record, url: str, status: int, headers: dict[str, str], body: bytes = b""
) -> Any:
    lines = [(name, _BREAKS.sub(" ", value)) for name, value in headers.items() if _TOKEN.fullmatch(name)]
    reason = HTTPStatus(status).phrase if status in list(HTTPStatus) else "Unknown"
    when = datetime.datetime.fromtimestamp(record.fetched, datetime.UTC)
    return builder.create_warc_record(
        url,
        "response",
        payload=io.BytesIO(body),
        length=len(body),
        warc_headers_dict={"WARC-Date": f"{when:%Y-%m-%dT%H:%M:%S.%f}Z"},
        http_headers=StatusAndHeaders(f"{status} {reason}", lines, protocol="HTTP/1.1"),
    )


def _headers(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the headers as the fetcher keeps them: names in lower case, repeated ones joined."""
    headers: dict[str, list[str]] = {}
    for name, value in pairs:
        headers.setdefault(name.lower(), []).append(value)
    return {name: ", ".join(values) for name, values in headers.items()}


def _time(date: str) -> float | None:
    try:
        moment = datetime.datetime.fromisoformat(date)
    except ValueError:
        return None
    return moment.replace(tzinfo=moment.tzinfo or datetime.UTC).timestamp()
