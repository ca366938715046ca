"""The wire formats of six search engines: where each is asked, and what it makes of documents it has found.

Only what :mod:`webfarer.worlds.searchserver` speaks; the real engines' readers are in `web/searchers`, and must not
come from here. Source: the documentation of each engine; for DuckDuckGo, its page.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any
from urllib.parse import quote


@dataclass(frozen=True, slots=True)
class Document:
    """One page the engines know; `date` is ISO 8601, or ""."""

    url: str
    title: str
    text: str
    date: str = ""


@dataclass(frozen=True, slots=True)
class Wire:
    """How one engine is asked and answers: `key` the header its key comes in, `query` and `most` its parameters."""

    method: str
    path: str
    query: str
    most: str
    answer: Callable[[Sequence[Document], str], dict[str, Any] | str]
    key: str = ""


def _searxng(found: Sequence[Document], url: str) -> dict[str, Any]:
    rows = [{"url": d.url, "title": d.title, "content": d.text[:200], "publishedDate": d.date or None} for d in found]
    return {"query": "", "number_of_results": 0, "results": rows, "answers": [], "unresponsive_engines": []}


def _serper(found: Sequence[Document], url: str) -> dict[str, Any]:
    rows = [
        {
            "title": d.title,
            "link": d.url,
            "snippet": d.text[:160],
            "position": n,
            **({"date": d.date} if d.date else {}),
        }
        for n, d in enumerate(found, 1)
    ]
    return {"searchParameters": {"type": "search", "engine": "google"}, "organic": rows, "credits": 1}


def _brave(found: Sequence[Document], url: str) -> dict[str, Any]:
    rows = [{"title": escape(d.title), "url": d.url, "description": _marked(d), "page_age": d.date} for d in found]
    return {
        "type": "search",
        "query": {"original": ""},
        **({"web": {"type": "search", "results": rows}} if rows else {}),
    }


def _tavily(found: Sequence[Document], url: str) -> dict[str, Any]:
    rows = [{"title": d.title, "url": d.url, "content": d.text[:500], "score": 0.5, "raw_content": None} for d in found]
    return {"query": "", "answer": None, "images": [], "results": rows, "response_time": 0.01}


def _wikipedia(found: Sequence[Document], url: str) -> dict[str, Any]:
    rows = [
        {"ns": 0, "title": d.title, "snippet": _marked(d), "timestamp": f"{d.date or '2020-01-01'}T00:00:00Z"}
        for d in found
    ]
    general = {"server": url, "articlepath": "/wiki/$1"}
    return {
        "batchcomplete": True,
        "query": {"searchinfo": {"totalhits": len(rows)}, "search": rows, "general": general},
    }


def _duckduckgo(found: Sequence[Document], url: str) -> str:
    rows = [
        '<div class="result results_links results_links_deep web-result">'
        '<div class="links_main links_deep result__body">'
        f'<h2 class="result__title"><a rel="nofollow" class="result__a" '
        f'href="//duckduckgo.com/l/?uddg={quote(d.url, safe="")}&amp;rut=0a1b">{escape(d.title)}</a></h2>'
        '<div class="result__extras"><div class="result__extras__url">'
        f'<a class="result__url" href="#">{escape(d.url)}</a>'
        f"{f'<span>&nbsp; &nbsp; {d.date}T00:00:00.0000000</span>' if d.date else ''}</div></div>"
        f'<a class="result__snippet" href="#">{_marked(d)}</a></div></div>'
        for d in found
    ]
    advertisement = (
        '<div class="result results_links result--ad"><h2 class="result__title"><a class="result__a" '
        'href="https://duckduckgo.com/y.js?ad_domain=shop.example">Buy now</a></h2></div>'
    )
    nothing = '<div class="no-results">No results.</div>'
    body = advertisement + "".join(rows) if rows else nothing
    return f'<!doctype html><html><body><div id="links">{body}</div></body></html>'


def _marked(document: Document) -> str:
    """Return a snippet as engines send it that answer in HTML."""
    first, _, rest = document.text[:200].partition(" ")
    return f"<strong>{escape(first)}</strong> {escape(rest)}"


WIRES = {
    "searxng": Wire("GET", "search", "q", "", _searxng),
    "serper": Wire("POST", "search", "q", "num", _serper, "X-API-KEY"),
    "brave": Wire("GET", "res/v1/web/search", "q", "count", _brave, "X-Subscription-Token"),
    "tavily": Wire("POST", "search", "query", "max_results", _tavily, "Authorization"),
    "duckduckgo": Wire("POST", "html", "q", "", _duckduckgo),
    "wikipedia": Wire("GET", "w/api.php", "srsearch", "srlimit", _wikipedia),
}
