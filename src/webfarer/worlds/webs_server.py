"""Serves a generated web on 127.0.0.1, each site on a port of its own, with a portal and a search engine.

The engine is a real one over what it knows (BM25, snippets, SearXNG's JSON), and like a real one it does not know the
whole web: home pages and what lies just below them, nothing deeper. Requests are counted at the servers, so that what a
client claims to have read can be compared. Source: SearXNG's search API (`/search?q=…&format=json`).
"""

import asyncio
import re
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from random import Random
from urllib.parse import urlsplit

from aiohttp import web as http
from selectolax.lexbor import LexborHTMLParser

from webfarer.core.text import BM25, words
from webfarer.worlds.searchwires import Document
from webfarer.worlds.server import Handler, Site, html_response, listen, not_found
from webfarer.worlds.webs_types import PORTAL, WebSite, WorldWeb, address

_RESULTS = 10
_SNIPPET = 200
_TITLE_WEIGHT = 3
_ROBOTS = "/robots.txt"
_PIECE = re.compile(r"(?<=[.!?。！？])\s*|\n+")
_SITE = re.compile(r"\bsite:([^\s()]+)")
_OPERATORS = re.compile(r"\(?site:\S+(?: OR site:\S+)*\)?")


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


class SearchIndex:
    """Finds documents by BM25 over their titles and texts."""

    def __init__(self, documents: Iterable[Document]) -> None:
        self.documents = list(documents)
        self._ranking = BM25()
        for document in self.documents:
            self._ranking.add(words(document.title) * _TITLE_WEIGHT + words(document.text))

    def search(self, query: str, most: int = _RESULTS, skip: int = 0) -> list[tuple[Document, float]]:
        """Return documents with a word of the query, and their scores, best first; `site:` operators bound them."""
        within = tuple(f"http://{site.rstrip('/')}/" for site in _SITE.findall(query))
        scores = self._ranking.scores(words(_OPERATORS.sub(" ", query)))
        found = [
            (document, score)
            for document, score in zip(self.documents, scores, strict=True)
            if score > 0 and (not within or document.url.startswith(within))
        ]
        return sorted(found, key=lambda each: -each[1])[skip : skip + most]


def snippet(document: Document, query: str) -> str:
    """Return the piece of the text that holds most words of the query, cut to the length engines show."""
    wanted = set(words(query))
    pieces = [piece.strip() for piece in _PIECE.split(document.text) if piece.strip()]
    best = max(range(len(pieces)), key=lambda at: len(wanted.intersection(words(pieces[at]))), default=0)
    return " ".join(pieces[best:])[:_SNIPPET]


@dataclass(frozen=True, slots=True)
class ServedWeb:
    """A web being served.

    Attributes:
        portal: URL of the page that lists the sites.
        search_url: root of the search engine.
        sites: the sites by host, each with its URL and the requests it received; the portal and "search" too.
    """

    web: WorldWeb
    sites: Mapping[str, Site]

    @property
    def portal(self) -> str:
        """URL of the page that lists the sites."""
        return self.sites[PORTAL].url

    @property
    def search_url(self) -> str:
        """URL of the search engine."""
        return self.sites[_ENGINE].url

    def url(self, written: str) -> str:
        """Return where a URL of the web's own text is served."""
        parts = urlsplit(written)
        return self.sites[parts.netloc].url + parts.path.removeprefix("/")

    def written(self, url: str) -> str:
        """Return the URL of the web's own text for where a page is served; any other URL as it is."""
        parts = urlsplit(url)
        for host, site in self.sites.items():
            if urlsplit(site.url).netloc == parts.netloc:
                return address(host, parts.path)
        return url

    def localise(self, text: str) -> str:
        """Replace every home page's URL of the web's own text by the one it is served at."""
        for host, site in self.sites.items():
            text = text.replace(address(host), site.url)
        return text

    def requested(self) -> set[str]:
        """Return the pages that were asked for, as URLs of the web's own text."""
        return {
            address(host, path.partition("?")[0])
            for host, site in self.sites.items()
            for path in site.requests
            if host != _ENGINE and path != _ROBOTS
        }

    @property
    def queries(self) -> int:
        """How often the search engine was asked."""
        return len(self.sites[_ENGINE].requests)

    def forget(self) -> None:
        """Count requests from zero."""
        for site in self.sites.values():
            site.requests.clear()


_ENGINE = "search"


@asynccontextmanager
async def serve_web(web: WorldWeb, coverage: Coverage = Coverage()) -> AsyncIterator[ServedWeb]:
    """Serve the sites, the portal, and a search engine that knows as much as `coverage` says."""
    sites: dict[str, Site] = {}
    served = ServedWeb(web, sites)
    index = SearchIndex(known(web, coverage))
    async with AsyncExitStack() as stack:
        for site in web.sites:
            sites[site.host] = await stack.enter_async_context(listen(_site(site, served)))
        sites[PORTAL] = await stack.enter_async_context(listen(_portal(served)))
        sites[_ENGINE] = await stack.enter_async_context(listen(_engine(index, served)))
        yield served


def _site(site: WebSite, served: ServedWeb) -> Handler:
    async def handle(request: http.BaseRequest) -> http.StreamResponse:
        page = site.pages.get(request.path)
        if page is None:
            return not_found()
        await asyncio.sleep(page.delay)
        if page.redirect:
            return http.Response(status=301, headers={"Location": page.redirect})
        return html_response(served.localise(page.html.decode()))

    return handle


def _portal(served: ServedWeb) -> Handler:
    async def handle(request: http.BaseRequest) -> http.StreamResponse:
        return html_response(served.localise(served.web.portal.decode())) if request.path == "/" else not_found()

    return handle


def _engine(index: SearchIndex, served: ServedWeb) -> Handler:
    async def handle(request: http.BaseRequest) -> http.StreamResponse:
        query = request.query.get("q", "").strip()
        if request.path != "/search" or not query:
            return http.json_response({"error": "No query"}, status=400)
        written = query
        for host, site in served.sites.items():
            written = written.replace(urlsplit(site.url).netloc, host)
        skip = _RESULTS * (int(request.query.get("pageno", "1")) - 1)
        results = [
            {
                "url": served.url(document.url),
                "title": document.title,
                "content": snippet(document, written),
                "publishedDate": document.date or None,
                "engine": "webs",
                "score": round(score, 3),
            }
            for document, score in index.search(written, skip=skip)
        ]
        return http.json_response(
            {"query": query, "number_of_results": len(results), "results": results, "answers": [], "suggestions": []}
        )

    return handle
