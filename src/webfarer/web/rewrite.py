"""Text formats that are read by way of HTML: tables with delimiters, RSS and Atom feeds.

Written as markup they get tables, links, limits and offsets from the one HTML reader. Not an XML parser: a feed that is
not well-formed is read as far as its items can be told apart. Source: RSS 2.0; RFC 4287 (Atom); RFC 4180 (CSV).
"""

import csv
import io
import re
from collections.abc import Iterator
from html import escape, unescape

_ITEM = re.compile(r"<(item|entry)[\s>](.*?)</\1>", re.DOTALL)
_CDATA = re.compile(r"<!\[CDATA\[(.*?)\]\]>", re.DOTALL)
_TAGS = re.compile(r"<[^>]*>")
_DAYS = ("updated", "pubDate", "published", "dc:date")
_SUMMARIES = ("description", "summary", "content")
_ATOM_LINK = re.compile(r"<link\s[^>]*?href\s*=\s*[\"']([^\"']+)", re.IGNORECASE)
_ALTERNATE = re.compile(r"<link\s(?=[^>]*rel\s*=\s*[\"']alternate)[^>]*?href\s*=\s*[\"']([^\"']+)", re.IGNORECASE)


def table_html(text: str, delimiter: str) -> str:
    """Return delimited rows as a table; the first one is its head."""
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    return f"<table>{''.join(_rows(rows))}</table>"


def _rows(rows: Iterator[list[str]]) -> Iterator[str]:
    tag = "th"
    while True:
        try:
            row = next(rows, None)
        except csv.Error:  # a field of absurd length: what came before it is good
            return
        if row is None:
            return
        if any(row):
            yield f"<tr>{''.join(f'<{tag}>{escape(cell)}</{tag}>' for cell in row)}</tr>"
            tag = "td"


def feed_html(text: str) -> str:
    """Return a feed as a page: its title, then title, date, link and summary of each item."""
    items = list(_ITEM.finditer(text))
    head = text[: items[0].start()] if items else text
    title = escape(_plain(_element(head, "title")))
    out = [f"<!doctype html><title>{title}</title><h1>{title}</h1>"]
    for item in items:
        inner = item[2]
        name = escape(_any(inner, ("title",)) or "–")
        link = _plain(_element(inner, "link")) or _first(_ALTERNATE, inner) or _first(_ATOM_LINK, inner)
        day, summary = _any(inner, _DAYS), _any(inner, _SUMMARIES)
        out.append(f'<h2><a href="{escape(unescape(link))}">{name}</a></h2>')
        out.append(f"<p>{escape(day)}</p><p>{escape(summary)}</p>")
    return "".join(out)


def _any(text: str, tags: tuple[str, ...]) -> str:
    return next((words for tag in tags if (words := _plain(_element(text, tag)))), "")


def _first(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return found[1] if found else ""


def _element(text: str, tag: str) -> str:
    """Return what the first element of that name holds."""
    start = re.search(rf"<{tag}(?:\s[^>]*)?>", text)
    if start is None or start[0].endswith("/>"):
        return ""
    end = text.find(f"</{tag}>", start.end())
    return text[start.end() : end] if end >= 0 else ""


def _plain(text: str) -> str:
    """Return the words: markup in feeds is escaped once, or wrapped in CDATA."""
    wrapped = _CDATA.search(text)
    html = _CDATA.sub(r"\1", text) if wrapped else unescape(text)
    return " ".join(unescape(_TAGS.sub(" ", html)).split())
