"""The crawl: the whole site and nothing else, within the budget, politely, and no page twice however often begun."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web as http

from webfarer.core.config import Settings, load_settings
from webfarer.core.errors import BudgetExceeded, Unreachable
from webfarer.core.fare import Budget
from webfarer.core.run import Run
from webfarer.core.trace import Trace
from webfarer.core.types import Page
from webfarer.web.archive import Archive
from webfarer.web.client import Web
from webfarer.web.crawl import CrawlOptions, CrawlReport, crawl
from webfarer.web.searchers.local import engine
from webfarer.web.searching import Query
from webfarer.worlds.server import Site, html_response, listen, not_found, serve
from webfarer.worlds.world import WorldSpec, generate

LINKS = {
    "/": ["/docs/", "/elsewhere", "http://other.invalid/"],
    "/docs/": ["a", "b#part", "b", "../elsewhere", "picture.png", "missing"],
    "/docs/a": ["a1", "/docs/"],
    "/docs/a1": ["a2"],
    "/docs/a2": [],
    "/docs/b": ["moved", "private"],
    "/docs/private": [],
    "/elsewhere": [],
}


def settings(archive: str = "record", **web: object) -> Settings:
    manners = {"allow_private": ("127.0.0.1",), "delay": 0, **web}
    return load_settings(archive=archive, budget=Budget(), web=manners)


@asynccontextmanager
async def small_site() -> AsyncIterator[Site]:
    async def handle(request: http.BaseRequest) -> http.StreamResponse:
        if request.path == "/robots.txt":
            return http.Response(text="User-agent: *\nDisallow: /docs/private\n")
        if request.path == "/docs/moved":
            return http.Response(status=301, headers={"Location": "/docs/a"})
        if request.path not in LINKS:
            return not_found()
        links = "".join(f"<p>See <a href='{link}'>{link}</a> for more.</p>" for link in LINKS[request.path])
        text = f"<p>This is the page at the path {request.path} of a small site.</p>{links}"
        return html_response(f"<!doctype html><html lang=en><title>{request.path}</title><main>{text}</main>")

    async with listen(handle) as site:
        yield site


async def crawled(
    archive: Archive, url: str, options: CrawlOptions = CrawlOptions(), limits: Budget = Budget(), **web: object
) -> CrawlReport:
    async with Web(settings(**web), archive) as opened:
        return await crawl(Run("crawl", Trace.create(), limits), opened, url, options)


@pytest.fixture
def archive():
    with Archive() as opened:
        yield opened


async def test_a_folder_of_a_site_is_read_and_nothing_else(archive: Archive) -> None:
    seen: list[Page] = []
    async with small_site() as site:
        report = await crawled(archive, f"{site.url}docs/", CrawlOptions(on_page=seen.append))
    assert sorted(page.title for page in seen) == ["/docs/", "/docs/a", "/docs/a1", "/docs/a2", "/docs/b"]
    assert report.pages == 5
    assert report.failures == {"HttpStatus": 1, "RobotsRefused": 1}
    assert (report.left, report.stopped) == (0, "")
    assert not {"/", "/elsewhere", "/docs/private", "/docs/picture.png"} & set(site.requests)
    assert all(site.requests.count(path) == 1 for path in ("/docs/", "/docs/b", "/robots.txt"))


async def test_depth_counts_clicks(archive: Archive) -> None:
    async with small_site() as site:
        reports = [await crawled(archive, f"{site.url}docs/", CrawlOptions(depth=depth)) for depth in (0, 1, 2)]
    assert [report.pages for report in reports] == [1, 3, 4]


@pytest.mark.parametrize(("limits", "meter"), [(Budget(pages=3), "pages"), (Budget(bytes=900), "bytes")])
async def test_a_limit_ends_it_and_the_next_one_goes_on(archive: Archive, limits: Budget, meter: str) -> None:
    async with small_site() as site:
        first = await crawled(archive, f"{site.url}docs/", limits=limits)
        assert first.stopped == meter
        assert first.left > 0
        asked = len(site.requests)
        second = await crawled(archive, f"{site.url}docs/")
        assert second.pages == 5
        assert second.stopped == ""
        assert site.requests.count("/docs/") == 1  # what was read is read from the archive
        assert len(site.requests) > asked
        third = await crawled(archive, f"{site.url}docs/")
        assert (third.pages, third.fetched) == (5, 0)


async def test_stopping_on_request_leaves_the_rest(archive: Archive) -> None:
    async with small_site() as site, Web(settings(), archive) as web:
        run = Run("crawl", Trace.create())
        report = await crawl(run, web, f"{site.url}docs/", CrawlOptions(on_page=lambda page: run.stop()))
    assert report.stopped == "request"
    assert report.pages == 1
    assert report.left > 0


async def test_a_first_page_that_fails_is_an_error(archive: Archive) -> None:
    with pytest.raises(Unreachable):
        await crawled(archive, "http://127.0.0.1:9999/", retries=0)
    with pytest.raises(BudgetExceeded):
        await crawled(archive, "http://127.0.0.1:9999/", limits=Budget(pages=0))


async def test_several_pages_are_under_way_but_not_more_than_the_host_bears(archive: Archive) -> None:
    now, most = 0, 0

    async def handle(request: http.BaseRequest) -> http.StreamResponse:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.005)
        now -= 1
        links = "".join(f"<a href=/{n}>page {n}</a> " for n in range(12))
        return html_response(f"<!doctype html><title>{request.path}</title><p>Page {request.path}: {links}</p>")

    async with listen(handle) as site:
        report = await crawled(archive, site.url, concurrency=3, robots=False)
    assert report.pages == 13
    assert most == 3


async def test_a_crawled_world_is_searched(tmp_path) -> None:
    world = generate(WorldSpec("conference", seed=3, size=24, depth=3))
    with Archive(tmp_path / "archive.db") as archive:
        async with serve(world) as site:
            report = await crawled(archive, site.url)
        assert report.pages >= 20
        fact = world.facts[0]
        hits = await engine.find(Query(f"{fact.attribute} {fact.value}"), settings(), archive)
        assert hits
        assert hits[0].url == f"{site.url.rstrip('/')}{fact.page}"
        host = site.url.split("/")[2]
        assert await engine.find(Query(fact.value, sites=(host,)), settings(), archive)
        assert not await engine.find(Query(fact.value, sites=("elsewhere.test",)), settings(), archive)
