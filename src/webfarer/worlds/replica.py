"""Small websites made by hand, in our own words, built like real ones on which web agents gave wrong answers.

Each is a regression case: a question, what a right answer holds, and what only a wrong one does. Served over real HTTP
on 127.0.0.1 beside a search engine that knows the shallow pages alone. Not generated (that is
:mod:`webfarer.worlds.web`) and no copies. Replicas are files in `worlds/replicas/`.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from html import escape
from urllib.parse import urlsplit

from aiohttp import web as http
from selectolax.lexbor import LexborHTMLParser

from webfarer.core.registry import Seam
from webfarer.worlds.searchserver import SearchStub, serve_search
from webfarer.worlds.searchwires import Document
from webfarer.worlds.server import Handler, Site, html_response, listen, not_found

REPLICAS = Seam("webfarer.worlds.replicas", "replica", "replica")

Pages = Mapping[str, str]
"""HTML by path and query string; `http://HOST/` of a replica stands for wherever that site is served."""


@dataclass(frozen=True, slots=True)
class Replica:
    """A case.

    Attributes:
        question: what is asked.
        truth: what a right answer holds, all of it.
        traps: what a right answer holds none of.
        sites: pages by host.
        gold: addresses of the pages that state the truth.
        known: addresses of the pages that the search engine knows; none of them is gold.
        start: address that whoever asks names, or "".
    """

    question: str
    truth: tuple[str, ...]
    traps: tuple[str, ...]
    sites: Mapping[str, Pages]
    gold: tuple[str, ...]
    known: tuple[str, ...]
    start: str = ""

    def right(self, text: str) -> bool:
        """Say whether an answer holds the truth and nothing that is wrong; white space and letter case aside."""
        said = " ".join(text.split()).casefold()
        return all(part.casefold() in said for part in self.truth) and not any(t.casefold() in said for t in self.traps)

    def html(self, address: str) -> str:
        """Return the page at an address of the replica's own text.

        Raises:
            KeyError: there is none.
        """
        parts = urlsplit(address)
        return self.sites[parts.netloc][parts.path + (f"?{parts.query}" if parts.query else "")]


@dataclass(frozen=True, slots=True)
class ServedReplica:
    """A replica being served.

    Attributes:
        sites: the sites by host, each with its URL and the requests it received.
        search: the search engines' book-keeping.
    """

    replica: Replica
    sites: Mapping[str, Site]
    search: SearchStub

    @property
    def searxng(self) -> str:
        """What to set `searxng_url` to."""
        return self.search.bases()["searxng"]

    def url(self, address: str) -> str:
        """Return where an address of the replica's own text is served."""
        return _localised(address, self.sites)


@asynccontextmanager
async def serve_replica(replica: Replica) -> AsyncIterator[ServedReplica]:
    """Serve the sites, each on a port of its own, and search engines that know `replica.known`."""
    sites: dict[str, Site] = {}
    async with AsyncExitStack() as stack:
        for host, pages in replica.sites.items():
            sites[host] = await stack.enter_async_context(listen(_handler(pages, sites)))
        known = [_document(_localised(address, sites), replica.html(address)) for address in replica.known]
        yield ServedReplica(replica, sites, await stack.enter_async_context(serve_search(known)))


def _handler(pages: Pages, sites: Mapping[str, Site]) -> Handler:
    async def handle(request: http.BaseRequest) -> http.StreamResponse:
        page = pages.get(request.path_qs)
        return not_found() if page is None else html_response(_localised(page, sites))

    return handle


def _localised(text: str, sites: Mapping[str, Site]) -> str:
    for host, site in sites.items():
        text = text.replace(f"http://{host}/", site.url)
    return text


def _document(url: str, html: str) -> Document:
    tree = LexborHTMLParser(html)
    title, main, date = (tree.css_first(found) for found in ("title", "main", "meta[property$=_time]"))
    text = main.text(separator=" ", strip=True) if main else ""
    return Document(url, title.text() if title else "", text, (date.attributes["content"] or "") if date else "")


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands around the content of every page of a site: its name, and links as label and path."""

    site: str
    menu: Sequence[tuple[str, str]] = ()

    def page(self, title: str, body: str, *, crumbs: Sequence[tuple[str, str]] = (), date: str = "") -> str:
        """Return the HTML of a page; `date` is ISO 8601 and stands in its head, where people do not see it."""
        meta = f'<meta property="article:published_time" content="{date}">' if date else ""
        menu = "".join(f"<li>{link(*entry)}</li>" for entry in self.menu)
        trail = " &gt; ".join([*(link(*crumb) for crumb in crumbs), escape(title)])
        return (
            f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)} - {escape(self.site)}'
            f"</title>{meta}</head><body><header><a href='/'>{escape(self.site)}</a><nav><ul>{menu}</ul></nav></header>"
            f'<nav aria-label="breadcrumb" class="breadcrumb">{trail}</nav>'
            f"<main><h1>{escape(title)}</h1>\n{body}\n</main>"
            f"<footer><p>© {escape(self.site)}</p></footer></body></html>"
        )


def link(label: str, path: str) -> str:
    """Return an anchor."""
    return f'<a href="{escape(path)}">{escape(label)}</a>'


def paragraphs(*texts: str) -> str:
    """Return plain texts as paragraphs."""
    return "".join(f"<p>{escape(text)}</p>" for text in texts)


def bullets(*items: str) -> str:
    """Return pieces of HTML as a list."""
    return "<ul>" + "".join(f"<li>{item}</li>" for item in items) + "</ul>"


def table(head: Sequence[str], *rows: Sequence[str]) -> str:
    """Return plain texts as a table."""
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return "<table><tr>" + "".join(f"<th>{escape(cell)}</th>" for cell in head) + f"</tr>{body}</table>"
