"""The web client: its three modes, what a killed process finds again, and what a page costs."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web as server

from webfarer.core.config import ArchiveMode, Settings, WebSettings
from webfarer.core.errors import (
    AddressRefused,
    ArchiveMiss,
    BudgetExceeded,
    FetchTimeout,
    HttpStatus,
    NotReadable,
    RobotsRefused,
    TooLarge,
)
from webfarer.core.fare import Budget
from webfarer.core.run import Run
from webfarer.core.trace import TRACE_VERSION, Trace
from webfarer.web.archive import Archive
from webfarer.web.client import Web
from webfarer.worlds.server import Site, html_response, listen, not_found

_numbers = itertools.count()

BODY = "<title>Hours</title><p>Open from eight to ten.</p>"


async def _answer(request: server.BaseRequest) -> server.StreamResponse:
    if request.path == "/robots.txt":
        return server.Response(text="User-agent: *\nDisallow: /secret")
    if request.path == "/stream":
        response = server.StreamResponse()
        await response.prepare(request)
        for _ in range(20):
            await response.write(b"<p>More and more of it.</p>" * 100)
        return response
    if request.path == "/image":
        return server.Response(body=b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" * 9, content_type="text/html")
    if request.path == "/moved":
        return server.Response(status=302, headers={"Location": "/hours"})
    return html_response(BODY) if request.path == "/hours" else not_found()


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with listen(_answer) as running:
        yield running


@pytest.fixture
def archive() -> Iterator[Archive]:
    with Archive() as opened:
        yield opened


def chosen(mode: ArchiveMode = "live", home: Path = Path("nowhere"), **web: Any) -> Settings:
    local = WebSettings(**{"allow_private": ("127.0.0.1",), "delay": 0, "retries": 0, **web})
    return Settings(home=home, archive=mode, web=local)


def run(**limits: Any) -> Run:
    return Run(f"run-{next(_numbers)}", Trace.create(), Budget(**limits))


@asynccontextmanager
async def client(archive: Archive, mode: ArchiveMode = "live", **web: Any) -> AsyncIterator[Web]:
    async with Web(chosen(mode, **web), archive) as opened:
        yield opened


async def test_a_page_is_read_from_the_archive_and_paid_for(site: Site, archive: Archive) -> None:
    async with client(archive) as web:
        going = run()
        page = await web.open(going, site.url + "hours")
        assert page.title == "Hours"
        record = archive.record(page.id)
        assert record is not None
        assert record.body == BODY.encode()
        robots = len("User-agent: *\nDisallow: /secret")
        assert (going.ledger.fare.pages, going.ledger.fare.bytes) == (1, len(BODY) + robots)
        assert web.page(page.id) is web.page(page.id)
        assert [event.type for event in going.trace.events] == ["call", "result"]


async def test_live_fetches_again_and_keeps_both(site: Site, archive: Archive) -> None:
    async with client(archive) as web:
        first, second = await web.open(run(), site.url + "hours"), await web.open(run(), site.url + "hours")
    assert site.requests.count("/hours") == 2
    assert archive.record(first.id) is not None
    assert archive.record(second.id) is not None


async def test_record_fetches_only_what_the_archive_lacks(site: Site, archive: Archive) -> None:
    for _ in range(2):
        async with client(archive, "record") as web:
            pages = [await web.open(run(), site.url + path) for path in ("hours", "moved", "hours")]
    assert [page.url for page in pages] == [site.url + "hours"] * 3
    assert site.requests == ["/robots.txt", "/hours", "/moved", "/hours"]


@pytest.mark.parametrize(("status", "again"), [(429, True), (503, True), (404, False)])
async def test_record_asks_again_where_the_site_was_only_busy(archive: Archive, status: int, again: bool) -> None:
    answers = [status, 200, 200]

    async def busy(request: server.BaseRequest) -> server.StreamResponse:
        return html_response(BODY, answers.pop(0))

    async with listen(busy) as site, client(archive, "record", robots=False) as web:
        with pytest.raises(HttpStatus):
            await web.open(run(), site.url)
        if again:
            pages = [await web.open(run(), site.url) for _ in range(2)]
            assert pages[0] == pages[1]
        else:
            with pytest.raises(HttpStatus):
                await web.open(run(), site.url)
        assert len(site.requests) == 1 + again


async def test_replay_gives_what_is_kept_and_asks_nobody(site: Site, archive: Archive) -> None:
    async with client(archive) as web:
        page = await web.open(run(), site.url + "hours")
        with pytest.raises(HttpStatus):
            await web.open(run(), site.url + "gone")
    site.requests.clear()
    async with client(archive, "replay") as web:
        assert await web.open(run(), site.url + "hours") == page
        with pytest.raises(HttpStatus, match="404"):
            await web.open(run(), site.url + "gone")
        with pytest.raises(ArchiveMiss, match=r"does not hold .*/other; run once with --archive record"):
            await web.open(run(), site.url + "other")
    assert site.requests == []


async def test_a_process_killed_after_a_fetch_does_not_repeat_it(site: Site, archive: Archive, tmp_path: Path) -> None:
    """It died when the record was kept and the result not yet in the trace: the dangling call finds its record."""
    path = tmp_path / "run.jsonl"
    trace = Trace.create(path)
    trace.emit("start", version=TRACE_VERSION)
    async with client(archive) as web:
        page = await web.open(Run("killed", trace), site.url + "hours")
        trace.close()
        lines = path.read_bytes().splitlines(keepends=True)
        assert b'"result"' in lines[-1]
        for torn in (lines[-1][:20], b""):
            path.write_bytes(b"".join(lines[:-1]) + torn)
            again = Trace.resume(path)
            again.emit("start", version=TRACE_VERSION)
            resumed = Run("killed", again)
            assert await web.open(resumed, site.url + "hours") == page
            again.close()
            assert resumed.ledger.fare.bytes == len(BODY) + len("User-agent: *\nDisallow: /secret")
        assert path.read_bytes().splitlines()[:2] == [line.rstrip() for line in lines[:2]]
    assert site.requests == ["/robots.txt", "/hours"]


async def test_robots_txt_is_asked_once_for_all_processes(site: Site, archive: Archive) -> None:
    for _ in range(3):
        async with client(archive) as web:
            await web.open(run(), site.url + "hours")
            with pytest.raises(RobotsRefused):
                await web.open(run(), site.url + "secret/plan")
    assert site.requests == ["/robots.txt", "/hours", "/hours", "/hours"]


async def test_what_was_refused_costs_no_page_and_what_failed_does(site: Site, archive: Archive) -> None:
    async with client(archive) as web:
        for path, error, pages in (
            (site.url + "secret", RobotsRefused, 0),
            ("http://10.0.0.1/", AddressRefused, 0),
            (site.url + "gone", HttpStatus, 1),
            (site.url + "image", NotReadable, 1),
        ):
            going = run()
            with pytest.raises(error):
                await web.open(going, path)
            assert going.ledger.fare.pages == pages
        small = run()
        async with client(archive, max_wire_bytes=10) as strict:
            with pytest.raises(TooLarge):
                await strict.open(small, site.url + "hours")
        assert small.ledger.fare.pages == 1


async def test_an_answer_with_an_error_status_is_kept_too(site: Site, archive: Archive) -> None:
    async with client(archive) as web:
        with pytest.raises(HttpStatus) as caught:
            await web.open(run(), site.url + "gone")
    record = archive.record(caught.value.detail["record"])
    assert record is not None
    assert (record.status, b"404 Not Found" in record.body) == (404, True)


@pytest.mark.parametrize("path", ["hours", "stream"])
@pytest.mark.parametrize("limit", [0, 1, 40])
async def test_a_page_larger_than_the_rest_of_the_budget_is_the_budgets_end(
    site: Site, archive: Archive, path: str, limit: int
) -> None:
    archive.put(site.url.rstrip("/"), "", 4e9)
    async with client(archive) as web:
        going = run(bytes=limit)
        with pytest.raises(BudgetExceeded) as caught:
            await web.open(going, site.url + path)
    assert caught.value.detail["meter"] == "bytes"
    assert going.ledger.fare.bytes <= limit + (65_536 if path == "stream" else 0)  # what was in the buffer is charged
    assert site.requests == ([f"/{path}"] if limit else [])


async def test_time_that_runs_out_in_a_fetch_is_the_budgets_end_and_not_the_sites_fault(archive: Archive) -> None:
    async def silent(request: server.BaseRequest) -> server.StreamResponse:
        await asyncio.sleep(5)
        return not_found()

    async with listen(silent) as site, client(archive, robots=False) as web:
        going = run(seconds=0.15)
        with pytest.raises(BudgetExceeded) as caught:
            await web.open(going, site.url)
        assert caught.value.detail["meter"] == "seconds"
        assert going.ledger.fare.pages == 1
    async with listen(silent) as site, client(archive, robots=False, total_seconds=0.05) as web:
        with pytest.raises(FetchTimeout):
            await web.open(run(seconds=60), site.url)


async def test_a_page_the_archive_does_not_hold_cannot_be_cited(archive: Archive) -> None:
    with pytest.raises(ArchiveMiss, match="0123456789abcdef"):
        Web(chosen(), archive).page("0123456789abcdef")


async def test_a_web_closes_its_own_archive_and_no_other(archive: Archive, tmp_path: Path) -> None:
    async with Web(chosen(home=tmp_path)) as own:
        pass
    with pytest.raises(Exception, match="closed"):
        own.archive.latest("http://a.test/")
    async with Web(chosen(), archive):
        pass
    assert archive.latest("http://a.test/") is None
