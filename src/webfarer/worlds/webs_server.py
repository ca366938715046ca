"""Serves a generated web on 127.0.0.1, each site on a port of its own, with a portal and a search engine.

The engine is that of :mod:`webfarer.worlds.searchserver`, and like a real one it does not know the whole web: home
pages and what lies just below them, nothing deeper. Requests are counted at the servers, so that what a client claims
to have read can be compared.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from random import Random
from urllib.parse import urlsplit

from aiohttp import web as http
from selectolax.lexbor import LexborHTMLParser

from webfarer.worlds.searchserver import SearchStub, serve_search
from webfarer.worlds.searchwires import Document
from webfarer.worlds.server import Handler, Site, html_response, listen, not_found
from webfarer.worlds.webs_types import PORTAL, WebSite, WorldWeb, address

_ROBOTS = "/robots.txt"


@dataclass(frozen=True, slots=True)
class Coverage:
    """What a search engine knows of a site: every page less than `depth` clicks deep, a share of those that deep."""

    depth: int = 2
    share: float = 0.5


def known(web: WorldWeb, coverage: Coverage = Coverage()) -> list[Document]:
    """Return the pages of `web` that its search engine knows; which ones follows from the web's seed."""

    def covered(url: str, depth: int) -> bool:
        drawn = Random(f"index/{web.language}/{web.seed}/{url}").random()
        return depth < coverage.depth or (depth == coverage.depth and drawn < coverage.share)

    return [_document(url, html) for url, depth, html in web.pages() if covered(url, depth)]


def _document(url: str, html: bytes) -> Document:
    tree = LexborHTMLParser(html)
    title, main = tree.css_first("title"), tree.css_first("main")
    date = tree.css_first("meta[property='article:modified_time']")
    text = "\n".join(node.text(separator=" ", strip=True) for node in main.iter()) if main else ""
    return Document(url, title.text() if title else "", text, (date.attributes["content"] or "") if date else "")


@dataclass(frozen=True, slots=True)
class ServedWeb:
    """A web being served.

    Attributes:
        sites: the sites by host, each with its URL and the requests it received; the portal too.
        engine: the search engine's book-keeping.
    """

    web: WorldWeb
    sites: Mapping[str, Site]
    engine: SearchStub

    @property
    def portal(self) -> str:
        """URL of the page that lists the sites."""
        return self.sites[PORTAL].url

    @property
    def search_url(self) -> str:
        """URL of the search engine, which speaks SearXNG's format."""
        return self.engine.bases()["searxng"]

    def url(self, written: str) -> str:
        """Return where a URL of the web's own text is served."""
        return _served(written, self.sites)

    def written(self, url: str) -> str:
        """Return the URL of the web's own text for where a page is served; any other URL as it is."""
        parts = urlsplit(url)
        for host, site in self.sites.items():
            if urlsplit(site.url).netloc == parts.netloc:
                return address(host, parts.path)
        return url

    def requested(self) -> set[str]:
        """Return the pages that were asked for, as URLs of the web's own text."""
        return {
            address(host, path.partition("?")[0])
            for host, site in self.sites.items()
            for path in site.requests
            if path != _ROBOTS
        }

    @property
    def queries(self) -> int:
        """How often the search engine was asked."""
        return len(self.engine.asked)

    def forget(self) -> None:
        """Count requests from zero."""
        self.engine.asked.clear()
        for site in self.sites.values():
            site.requests.clear()


@asynccontextmanager
async def serve_web(web: WorldWeb, coverage: Coverage = Coverage()) -> AsyncIterator[ServedWeb]:
    """Serve the sites, the portal, and a search engine that knows as much as `coverage` says."""
    sites: dict[str, Site] = {}
    async with AsyncExitStack() as stack:
        for site in web.sites:
            sites[site.host] = await stack.enter_async_context(listen(_site(site, sites)))
        sites[PORTAL] = await stack.enter_async_context(listen(_portal(web.portal, sites)))
        documents = [replace(document, url=_served(document.url, sites)) for document in known(web, coverage)]
        engine = await stack.enter_async_context(serve_search(documents))
        yield ServedWeb(web, sites, engine)


def _site(site: WebSite, sites: Mapping[str, Site]) -> Handler:
    async def handle(request: http.BaseRequest) -> http.StreamResponse:
        page = site.pages.get(request.path)
        if page is None:
            return not_found()
        await asyncio.sleep(page.delay)
        if page.redirect:
            return http.Response(status=301, headers={"Location": page.redirect})
        return html_response(_localised(page.html, sites))

    return handle


def _portal(html: bytes, sites: Mapping[str, Site]) -> Handler:
    async def handle(request: http.BaseRequest) -> http.StreamResponse:
        return html_response(_localised(html, sites)) if request.path == "/" else not_found()

    return handle


def _served(written: str, sites: Mapping[str, Site]) -> str:
    parts = urlsplit(written)
    return sites[parts.netloc].url + parts.path.removeprefix("/")


def _localised(html: bytes, sites: Mapping[str, Site]) -> str:
    """Replace every home page's URL of the web's own text by the one it is served at."""
    text = html.decode()
    for host, site in sites.items():
        text = text.replace(address(host), site.url)
    return text
