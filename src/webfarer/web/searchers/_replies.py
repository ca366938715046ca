"""What the engines' replies have in common: JSON that may be anything, and text that may be HTML.

No engine's own format is known here. Invariant: whatever a reply holds, what comes out is clean hits or a SearchError.
"""

import html
import json
import re
from collections.abc import Iterable
from datetime import date
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

from webfarer.core.errors import Refused, SearchUnavailable
from webfarer.core.types import Hit
from webfarer.web.guard import canonical_url
from webfarer.web.searching import ApiReply

_TITLE, _SNIPPET, _SAID = 300, 1000, 200
_ISO = re.compile(r"\s*(\d{4}-\d\d-\d\d)(?:[T ]|$)")
# Marks that engines put into titles and snippets; other angle brackets are text ("vector<int>").
_TAG = re.compile(
    r"</?(?:a|b|br|code|div|em|font|i|img|li|mark|p|pre|script|small|span|strong|style|sub|sup|u|ul)\b[^<>]*>", re.I
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]+")


class Row(NamedTuple):
    """One result as an engine gave it; anything may be in it."""

    url: Any
    title: Any
    snippet: Any
    date: Any = None


def json_object(reply: ApiReply) -> dict[str, Any]:
    """Return the JSON object in the reply's body.

    Raises:
        SearchUnavailable: there is none.
    """
    try:
        value = json.loads(reply.body)
    except (ValueError, RecursionError) as error:
        kind = "HTML" if reply.body.lstrip()[:1] == "<" else "no JSON"
        raise SearchUnavailable(f"the answer cannot be read: it is {kind}, or cut off", status=reply.status) from error
    if not isinstance(value, dict):
        raise SearchUnavailable("the answer cannot be read: no JSON object", status=reply.status)
    return value


def list_in(answer: Any, *path: str) -> list[dict[str, Any]]:
    """Return the objects of the list at `path`.

    Raises:
        SearchUnavailable: there is no list; the message has what the answer says instead.
    """
    value = answer
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    if not isinstance(value, list):
        raise SearchUnavailable(f"the answer has no list {'.'.join(path)!r}{_quoted(said(answer))}")
    return [row for row in value if isinstance(row, dict)]


def said(answer: Any) -> str:
    """Return the error message somewhere in an API's answer, or ""."""
    for name in ("message", "error", "detail", "info", "title"):
        value = answer.get(name) if isinstance(answer, dict) else None
        found = plain(value) if isinstance(value, str) else said(value) if value else ""
        if found:
            return found[:_SAID]
    return ""


def said_in(reply: ApiReply) -> str:
    """Return the error message in a reply, in front of it ": "; "" when it holds none."""
    try:
        return _quoted(said(json_object(reply)))
    except SearchUnavailable:
        return ""


def _quoted(text: str) -> str:
    return f": {text}" if text else ""


def hits(rows: Iterable[Row]) -> list[Hit]:
    """Return the rows that lead to a page of the web, each page once, as plain text."""
    found: dict[str, Hit] = {}
    for row in rows:
        if not isinstance(row.url, str):
            continue
        try:
            url = canonical_url(row.url)
        except Refused:
            continue
        title = plain(row.title)[:_TITLE] or url
        found.setdefault(url, Hit(url=url, title=title, snippet=plain(row.snippet)[:_SNIPPET], date=day(row.date)))
    return list(found.values())


def plain(text: Any) -> str:
    """Return `text` without marks, entities, control characters and needless space; "" unless it is a string."""
    if not isinstance(text, str):
        return ""
    return " ".join(_CONTROL.sub(" ", html.unescape(_TAG.sub("", text))).split())


def day(text: Any) -> str:
    """Return the ISO 8601 day in `text` ("2024-03-05T…", "Mar 5, 2024", an RFC 5322 date), or ""."""
    if not isinstance(text, str):
        return ""
    iso = _ISO.match(text)
    try:
        if iso:
            return date.fromisoformat(iso[1]).isoformat()
        return parsedate_to_datetime(text if ":" in text else f"{text} 00:00:00 +0000").date().isoformat()
    except (ValueError, IndexError, TypeError, OverflowError):  # the email package raises any of these
        return ""
