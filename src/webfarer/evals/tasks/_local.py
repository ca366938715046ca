"""A place on 127.0.0.1 for tasks that bring their own pages: one server for all of them, one engine that finds them.

Pages lie on shelves; a shelf is what has one made-up host: a site, several, a corpus. The engine is the archive's
index behind SearXNG's wire format, an index for each shelf, so that what it finds on one depends neither on the others
nor on ports. Not a model of a web search. Invariant: shelves are made when they are asked for; few stay in memory.
"""

import asyncio
import os
import re
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import chain, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote

from webfarer.evals.task import Changes
from webfarer.web.extract import read_page
from webfarer.web.index import Document, Index, main_text
from webfarer.worlds.server import Site, json_response, listen, not_found, serve_hosts
from webfarer.worlds.types import PageSpec

_IN_MEMORY = 32
_BATCH = 200
_HITS = 20
_WAIT = 600.0  # seconds: the first query waits until its index is written
_ENGINE = "engine.test"
_LINK = re.compile(rb"([\"'])/(?!/)")
_SITE = re.compile(r"\bsite:([^\s()]+)")
_OPERATORS = re.compile(r"\(?\bsite:[^\s()]+(?: OR site:[^\s()]+)*\)?")


@dataclass(frozen=True, slots=True)
class Shelf:
    """Pages that have one host.

    Attributes:
        pages: by path; their links begin with "/".
        known: paths of those that the engine knows.
    """

    pages: Mapping[str, PageSpec]
    known: Iterable[str]


Shelves = Mapping[str, Callable[[], Shelf]]
"""By host, how to make each."""


def below(folder: str, page: PageSpec) -> PageSpec:
    """Return a page as it is served in a folder: what it says stays, its links get a longer path."""
    html = _LINK.sub(rb"\1/" + folder.encode() + b"/", page.html)
    return replace(page, html=html, redirect=page.redirect and f"/{folder}{page.redirect}")


@asynccontextmanager
async def serve_shelves(shelves: Shelves, *, results: int = 10, kept: Path | None = None) -> AsyncIterator[Changes]:
    """Serve shelves under their own hosts, and give the settings with which these are found.

    Args:
        shelves: always the same for the same host; called in threads too.
        results: of one search.
        kept: folder in which indexes stay for the next time; None for a temporary one. They are then written before
            anything is asked.
    """
    made = lru_cache(_IN_MEMORY)(lambda host: shelves[host]())

    def page(host: str, path: str) -> PageSpec | None:
        return made(host).pages.get(path) if host in shelves else None

    async with AsyncExitStack() as stack:
        site = await stack.enter_async_context(serve_hosts(page))
        folder = kept or Path(stack.enter_context(TemporaryDirectory(prefix="webfarer-")))
        engine = _Engine(shelves, folder)
        if kept:
            for host in shelves:
                await engine.ready(host)
        answering = await stack.enter_async_context(listen(engine.answer))
        yield {
            "connect_to": {**dict.fromkeys(shelves, _place(site)), _ENGINE: _place(answering)},
            # no robots.txt: the first to ask is charged for it, and who that is depends on how attempts are spread
            "web": {"robots": False, "delay": 0.0, "concurrency": 64},
            "search": {"engines": ("searxng",), "bases": {}, "delay": 0.0, "results": results, "seconds": _WAIT},
            "searxng_url": f"http://{_ENGINE}",
            "browser": "never",
        }


def _place(site: Site) -> str:
    return site.url.removeprefix("http://").rstrip("/")


class _Engine:
    """Finds pages; a query that names a shelf (`site:`) is answered from that alone, any other from all of them."""

    def __init__(self, shelves: Shelves, folder: Path) -> None:
        self._shelves, self._folder = shelves, folder
        self._writing = asyncio.Lock()

    async def answer(self, request: Any) -> Any:
        """Answer a request in SearXNG's format."""
        if request.path != "/search":
            return not_found()
        rows = await self.search(request.query.get("q", ""))
        return json_response({"results": rows, "unresponsive_engines": []})

    async def search(self, query: str) -> list[dict[str, Any]]:
        """Return the rows of an answer."""
        sites = _SITE.findall(query)
        named = {site.partition("/")[0] for site in sites}
        path = await self.ready(named.pop() if len(named) == 1 else "")
        return await asyncio.to_thread(self._rows, path, _OPERATORS.sub(" ", query), sites)

    async def ready(self, host: str) -> Path:
        """Return the index of a shelf, or of all for a host that is none; it is written when it is not there."""
        host = host if host in self._shelves else ""
        path = self._folder / f"{host or 'all'}.db"
        async with self._writing:
            if not path.exists():
                await asyncio.to_thread(self._write, path, [host] if host else list(self._shelves))
        return path

    def _write(self, path: Path, hosts: Iterable[str]) -> None:
        """Write an index beside its place first, so that what lies there is whole."""
        path.parent.mkdir(parents=True, exist_ok=True)
        half = path.with_name(f"{path.name}.{os.getpid()}.part")
        half.unlink(missing_ok=True)
        with Index(half) as index:
            documents = chain.from_iterable(_documents(host, self._shelves[host]()) for host in hosts)
            while batch := list(islice(documents, _BATCH)):
                index.add(batch)
        half.replace(path)

    def _rows(self, path: Path, words: str, sites: Iterable[str]) -> list[dict[str, Any]]:
        with Index(path) as index:
            hits = index.search(words, _HITS, list(sites))
        return [
            {"url": hit.url, "title": hit.title, "content": hit.snippet, "publishedDate": hit.date or None}
            for hit in hits
        ]


def _documents(host: str, shelf: Shelf) -> Iterator[Document]:
    for path in shelf.known:
        page = read_page(shelf.pages[path].html, url=f"http://{host}{quote(path)}", content_type="text/html")
        yield Document(page.url, page.url, page.title, main_text(page), page.language, page.date)
