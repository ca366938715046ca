"""WARC files: what goes out comes back, other tools can read it, theirs can be read, damaged ones as far as whole."""

import asyncio
import gzip
import http.client
import io
import zlib
from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from warcio.archiveiterator import ArchiveIterator
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from webfarer.core.config import load_settings
from webfarer.core.errors import ConfigError
from webfarer.core.run import Run
from webfarer.core.trace import Trace
from webfarer.web.archive import Archive
from webfarer.web.client import Web
from webfarer.web.fetch import Response
from webfarer.web.index import Index
from webfarer.web.warc import export_warc, import_warc
from webfarer.worlds.server import listen

PAGE = b"<!doctype html><html lang=en><title>Hours</title><main><p>The observatory opens at nine o'clock.</p></main>"
LATER = ("content-encoding", "transfer-encoding", "content-length")
PATHS = st.sampled_from([f"https://a.test/{n}" for n in range(9)])
NAMES = st.sampled_from(["content-type", "last-modified", "x-note", "set-cookie", *LATER])
VALUES = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=20)


@st.composite
def responses(draw: st.DrawFn) -> Response:
    hops = draw(st.lists(PATHS, min_size=1, max_size=4, unique=True))
    status = draw(st.sampled_from([200, 204, 301, 404, 410, 500, 599]))
    headers = draw(st.dictionaries(NAMES, VALUES, max_size=4))
    return Response(hops[0], hops[-1], status, headers, draw(st.binary(max_size=300)), 1, tuple(hops[1:]))


def exported(archive: Archive) -> bytes:
    stream = io.BytesIO()
    export_warc(archive, archive.ids(), stream)
    return stream.getvalue()


def known(archive: Archive) -> dict[tuple[str, float], tuple[object, ...]]:
    """What an archive knows, by URL and time; of headers what outlives the wire."""
    records = (archive.record(id_) for id_ in archive.ids())
    return {
        (r.url, r.fetched): (
            *(r.final_url, r.status, r.redirects, r.body),
            {name: value for name, value in r.headers.items() if name not in LATER},
        )
        for r in records
        if r is not None
    }


@pytest.mark.slow
@given(st.lists(responses(), min_size=1, max_size=5))
def test_what_is_exported_is_imported_as_it_was(given_responses: list[Response]) -> None:
    with Archive() as first, Archive() as second:
        for n, response in enumerate(given_responses):
            first.keep(response, fetched=1_700_000_000.125 + 60 * n)  # at one time, a URL has one answer
        data = exported(first)
        report = import_warc(second, io.BytesIO(data))
        assert not report.skipped
        assert known(first).items() <= known(second).items()
        records = second.count()
        import_warc(second, io.BytesIO(data))
        assert second.count() == records


def test_an_export_is_what_other_tools_expect() -> None:
    headers = {"content-type": "text/html", "content-encoding": "gzip", "transfer-encoding": "chunked"}
    hops = ("https://a.test/x", "https://a.test/y", "https://a.test/z")
    with Archive() as archive:
        archive.keep(Response(hops[0], hops[2], 200, headers, PAGE, 50, hops[1:]), fetched=1_700_000_000.5)
        data = exported(archive)
    seen = []
    for record in ArchiveIterator(io.BytesIO(data), check_digests="raise"):
        if record.rec_type == "response":
            body = record.content_stream().read()
            fields = ("WARC-Target-URI", "WARC-Date")
            seen.append((*map(record.rec_headers.get_header, fields), record.http_headers.get_statuscode(), body))
            assert record.rec_headers.get_header("WARC-Payload-Digest")
            assert not any(record.http_headers.get_header(name) for name in LATER[:2])
            if body:
                assert record.http_headers.get_header("content-length") == str(len(PAGE))
            else:
                assert (seen[-1][0], record.http_headers.get_header("location")) in pairwise(hops)
    date = "2023-11-14T22:13:20.500000Z"
    assert seen == [(hops[0], date, "302", b""), (hops[1], date, "302", b""), (hops[2], date, "200", PAGE)]


Write = Callable[..., None]


def made(write: Callable[[Write], None], **options: bool) -> bytes:
    """A WARC file as another program would make it."""
    stream = io.BytesIO()
    writer = WARCWriter(stream, **{"gzip": True, **options})

    def add(uri: str, body: bytes = PAGE, status: str = "200 OK", kind: str = "response", **headers: str) -> None:
        lines = [(name.replace("_", "-").title(), value) for name, value in headers.items()]
        http = StatusAndHeaders(status, [("Content-Type", "text/html"), *lines], protocol="HTTP/1.1")
        record = writer.create_warc_record(
            uri,
            kind,
            payload=io.BytesIO(body),
            length=len(body),
            http_headers=http,
            warc_headers_dict={"WARC-Date": "2020-02-03T04:05:06Z"},
        )
        writer.write_record(record)

    write(add)
    return stream.getvalue()


def imported(data: bytes, **options: int) -> tuple[dict[str, bytes], dict[str, int]]:
    with Archive() as archive:
        report = import_warc(archive, io.BytesIO(data), **options)
        bodies = {url: body for (url, _), (*_, body, _) in known(archive).items()}
        return bodies, dict(report.skipped)


@pytest.mark.parametrize("packed", [True, False])
def test_encodings_of_the_wire_are_undone(packed: bool) -> None:
    chunked = b"%x\r\n%s\r\n0\r\n\r\n" % (len(PAGE), PAGE)
    both = gzip.compress(PAGE)
    both = b"5\r\n%s\r\n%x\r\n%s\r\n0\r\n\r\n" % (both[:5], len(both) - 5, both[5:])

    def write(add: Write) -> None:
        add("http://a.test/plain")
        add("http://a.test/gzip", gzip.compress(PAGE), content_encoding="gzip")
        add("http://a.test/deflate", zlib.compress(PAGE), content_encoding="deflate")
        add("http://a.test/chunked", chunked, transfer_encoding="chunked")
        add("http://a.test/both", both, content_encoding="gzip", transfer_encoding="chunked")

    bodies, skipped = imported(made(write, gzip=packed))
    assert len(bodies) == 5
    assert set(bodies.values()) == {PAGE}
    assert not skipped


def test_what_is_no_page_is_left_out_and_counted() -> None:
    def write(add: Write) -> None:
        add("http://a.test/page")
        add("http://a.test/again", kind="revisit")
        add("http://a.test/file", kind="resource")
        add("http://a.test/sent", kind="request")
        add("ftp://a.test/other")
        add("http://me:secret@a.test/")
        add("http://a.test/br", content_encoding="br")
        add("http://a.test/odd", status="OK")
        add("http://a.test/moved", b"", "301 Moved", location="http://b.test/")
        add("http://a.test/huge", b"x" * 2000)
        add("http://a.test/bomb", gzip.compress(b"x" * 1_000_000), content_encoding="gzip")

    bodies, skipped = imported(made(write), max_bytes=1000)
    assert set(bodies) == {"http://a.test/page"}
    assert skipped == {
        "revisit record": 1,
        "resource record": 1,
        "unusable URL": 1,
        "unknown content encoding": 1,
        "not HTTP": 2,
        "redirect to what is not in the file": 1,
        "too large": 2,
    }


def test_redirects_lead_to_what_they_lead_to_whatever_the_order() -> None:
    def write(add: Write) -> None:
        add("http://a.test/", b"", "302 Found", location="/b")
        add("http://a.test/end")
        add("http://a.test/b", b"gone to end", "301 Moved", location="http://A.test/end#part")
        add("http://a.test/loop", b"", "302 Found", location="/loop")

    with Archive() as archive:
        report = import_warc(archive, io.BytesIO(made(write)))
        record = archive.latest("http://a.test/")
    assert record is not None
    assert (record.final_url, record.redirects) == ("http://a.test/end", ("http://a.test/b", "http://a.test/end"))
    assert record.body == PAGE
    assert (report.pages, report.redirects, sum(report.skipped.values())) == (1, 2, 1)


@pytest.mark.parametrize("packed", [True, False])
def test_a_file_cut_off_gives_what_was_whole_and_an_error(packed: bool) -> None:
    data = made(lambda add: [add(f"http://a.test/{n}") for n in range(4)], gzip=packed)
    with Archive() as archive:
        with pytest.raises(ConfigError, match="kept 3 pages") as error:
            import_warc(archive, io.BytesIO(data[:-100]))
        assert error.value.detail["pages"] == archive.count() == 3


def test_damage_is_an_error_and_never_a_wrong_page() -> None:
    data = made(lambda add: [add(f"http://a.test/{n}") for n in range(3)], gzip=False)
    bodies, skipped = imported(data.replace(b"at nine", b"at ten!", 1))
    assert (len(bodies), skipped) == (2, {"wrong digest": 1})
    packed = made(lambda add: [add(f"http://a.test/{n}") for n in range(3)])
    whole, refusals = imported(packed)[0], []
    for at in range(len(packed) * 3 // 4, len(packed), 5):  # what a broken byte does depends on what is compressed
        damaged = bytearray(packed)
        damaged[at] ^= 0xFF
        try:
            assert imported(bytes(damaged))[0].items() <= whole.items()
        except ConfigError as error:
            refusals.append(str(error))
    assert refusals
    assert all("cannot be read any further" in message for message in refusals)


@given(st.binary(max_size=300), st.booleans())
def test_any_bytes_are_imported_or_refused(data: bytes, packed: bool) -> None:
    with Archive() as archive:
        with suppress(ConfigError):
            import_warc(archive, io.BytesIO(gzip.compress(data) if packed else data))
        assert archive.count() == 0


async def test_a_capture_made_elsewhere_answers_in_replay() -> None:
    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        response = web.Response(body=PAGE, content_type="text/html")
        response.enable_compression(web.ContentCoding.gzip)
        response.enable_chunked_encoding()
        return response

    async with listen(handle) as site:
        data = await asyncio.to_thread(_capture, site.url)
    with Archive() as archive, Index() as index:
        assert import_warc(archive, io.BytesIO(data)).pages == 1
        async with Web(load_settings(archive="replay"), archive) as replayed:
            page = await replayed.open(Run("run", Trace.create()), site.url)
        assert page.title == "Hours"
        assert "opens at nine" in page.markdown
        index.refresh(archive)
        assert [hit.page for hit in index.search("observatory")] == [page.id]


def _capture(url: str) -> bytes:
    """Record an answer as the bytes it came in, as crawlers do."""
    connection = http.client.HTTPConnection(url.split("/")[2])
    connection.request("GET", "/", headers={"Accept-Encoding": "gzip", "Connection": "close"})
    answer = connection.getresponse()
    assert answer.getheader("Transfer-Encoding") == "chunked"
    raw = answer.fp.read()
    stream = io.BytesIO()
    writer = WARCWriter(stream, gzip=True)
    headers = StatusAndHeaders(f"{answer.status} {answer.reason}", answer.getheaders(), protocol="HTTP/1.1")
    payload = io.BytesIO(raw)
    record = writer.create_warc_record(url, "response", payload=payload, length=len(raw), http_headers=headers)
    writer.write_record(record)
    connection.close()
    return stream.getvalue()
