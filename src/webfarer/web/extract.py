"""A document's bytes to a :class:`~webfarer.core.types.Page`: text as markdown with true offsets, links, regions, kind.

Fetches nothing and runs no script. Whatever the bytes are, it returns a page or raises NotReadable, in time linear in
their number, and the same bytes give the same page.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from selectolax.lexbor import LexborHTMLParser

from webfarer.core.errors import NotReadable
from webfarer.core.types import Link, Page, Region, Span
from webfarer.web import searchindex
from webfarer.web.charset import decode
from webfarer.web.classify import Features, classify
from webfarer.web.dates import date_of
from webfarer.web.guard import canonical_url
from webfarer.web.language import language_of
from webfarer.web.links import Found, Targets, finish
from webfarer.web.markdown import fold, visible
from webfarer.web.rewrite import feed_html, table_html
from webfarer.web.sniff import Kind, delimiter_of, sniff_bytes, sniff_text
from webfarer.web.tame import tame
from webfarer.web.walk import ReadLimits, Walk

__all__ = ["ReadLimits", "read_page"]

_BARE = 20  # characters of text below which a page is as good as empty
_MAIN_SHARE = 0.1
_OPENING, _CLOSING = 1_500, 1_000  # characters at a page's ends where it says when it was changed
_TITLE = 300
_SELF_CLOSED = re.compile(r"<(a|div|iframe|p|script|span|style|td|textarea|title|i|em|b)(\s[^<>]*)?/>", re.IGNORECASE)
_REFRESH = re.compile(r"\s*(\d+)(?:\.\d*)?\s*[;,]\s*(?:url\s*=\s*)?['\"]?\s*([^'\"]+)", re.IGNORECASE)
_REL = {
    "next": "next",
    "prev": "previous",
    "previous": "previous",
    "contents": "contents",
    "toc": "contents",
    "search": "search",
}
_REFRESH_SECONDS = 5
_NO_TEXT = {
    Kind.BINARY: "the body is not text",
    Kind.OLD: "the body is an office file that is encrypted, or older than 2007 (.doc, .ppt)",
}


@dataclass(slots=True)
class _Head:
    """What a page says about itself."""

    title: str = ""
    base: str = ""
    canonical: str = ""
    refresh: str = ""
    language: str = ""
    meta: dict[str, str] = field(default_factory=dict)
    links: list[Found] = field(default_factory=list)


def read_page(
    body: bytes,
    *,
    url: str,
    content_type: str = "",
    page_id: str = "",
    language: str = "",
    limits: ReadLimits = ReadLimits(),
) -> Page:
    """Read a document.

    Args:
        body: its bytes, content encoding undone.
        url: http(s) URL it was served from, after redirects.
        content_type: the Content-Type header.
        page_id: archive id of the bytes.
        language: the Content-Language header, believed when the document itself says nothing.
        limits: how much is read.

    Raises:
        NotReadable: the bytes are no text, whatever the header says; also for a PDF or an office file, which
            :func:`webfarer.web.documents.page_of` reads.
        Refused: `url` is no http(s) URL.
    """
    here = canonical_url(url)
    binary = sniff_bytes(body, content_type)
    if binary is not None:
        message = _NO_TEXT.get(binary, f"the body is a {binary} document, not a page")
        raise NotReadable(message, url=here, content_type=content_type)
    text, _ = decode(body, content_type)
    cut = len(text) > limits.html
    text = text[: limits.html]
    page = Page(page_id, here, title="", markdown="", canonical=here, language=language, truncated=cut)
    index = searchindex.read_index(text, page, limits.links) if here.endswith(f"/{searchindex.NAME}") else None
    if index is not None:
        return index
    kind = sniff_text(text, content_type)
    if kind in (Kind.TEXT, Kind.JSON):
        return _read_plain(text, page, limits)
    if kind == Kind.CSV:
        text = table_html(text, delimiter_of(text, declared=True))
    elif kind == Kind.FEED:
        text = feed_html(text)
    return _read_html(text, page, limits)


def _read_plain(text: str, page: Page, limits: ReadLimits) -> Page:
    markdown = visible(text.replace("\r\n", "\n").replace("\r", "\n"))[: limits.markdown].strip()
    return replace(
        page,
        markdown=markdown,
        language=language_of(markdown, page.language),
        kind=classify(Features("", markdown, markdown)),
        spans=(("main", Span(0, len(markdown))),) if markdown else (),
        truncated=page.truncated or len(text) > limits.markdown,
    )


def _read_html(html: str, page: Page, limits: ReadLimits) -> Page:
    if html.lstrip().startswith("<?xml"):
        html = _SELF_CLOSED.sub(r"<\1\2></\1>", html)  # means nothing to an HTML parser, and would swallow what follows
    html = tame(html)
    tree = LexborHTMLParser(html, scripting=True)  # as in a browser: what is in <noscript> is not part of the page
    head = _read_head(tree)
    walk = Walk(limits)
    walk.read(tree)
    if walk.pen.length < _BARE and "<noscript" in html:
        walk = Walk(limits, noscript=True)
        walk.read(LexborHTMLParser(html))
    markdown, spans = walk.pen.result()[: limits.markdown], walk.pen.spans(limits.markdown)
    found = [*head.links, *walk.found]
    targets = Targets(page.url, head.base)
    if len(markdown) < _BARE and head.refresh and targets.resolve(head.refresh) != (page.url, ""):
        found.append(Found(head.refresh, "meta", {"title": "refresh"}, "main"))
    if _text_in_main(spans) < _MAIN_SHARE * len(markdown):
        spans = (("main", Span(0, len(markdown))),)
        for link in found:
            link.region = "main"
    links = _links(found, targets, markdown, limits.links)
    title = head.title or walk.elements.first_heading
    main = "".join(markdown[span.start : span.end] for region, span in spans if region == "main")
    return replace(
        page,
        title=title[:_TITLE],
        markdown=markdown,
        links=links,
        canonical=_canonical(head.canonical, targets, page.url),
        language=language_of(main or markdown, head.language or page.language),
        kind=classify(Features(title, markdown, main, len(links), walk.elements.password)),
        date=date_of(tree, html, head.meta, (main[:_OPENING], markdown[-_CLOSING:])),
        spans=spans,
        truncated=page.truncated or walk.truncated or len(found) > limits.links,
    )


def _links(found: Iterable[Found], targets: Targets, markdown: str, most: int) -> tuple[Link, ...]:
    links: list[Link] = []
    for item in found:
        if len(links) < most and (target := targets.resolve(item.href)) is not None:
            links.append(finish(item, len(links) + 1, markdown, target))
    return tuple(links)


def _text_in_main(spans: Iterable[tuple[Region, Span]]) -> int:
    return sum(span.end - span.start for region, span in spans if region == "main")


def _canonical(declared: str, targets: Targets, here: str) -> str:
    """Return the declared canonical URL if it is on the page's own host."""
    target = targets.resolve(declared) if declared else None
    return target[0] if target and urlsplit(target[0]).netloc == urlsplit(here).netloc else here


def _read_head(tree: LexborHTMLParser) -> _Head:
    head = _Head()
    if tree.root is not None:
        head.language = tree.root.attributes.get("lang") or tree.root.attributes.get("xml:lang") or ""
    for node in tree.head.iter() if tree.head is not None else ():
        tag, attributes = node.tag, node.attributes
        if tag == "title":
            head.title = head.title or fold(visible(node.text()))
        elif tag == "base":
            head.base = head.base or attributes.get("href") or ""
        elif tag == "link":
            _read_link(head, attributes)
        elif tag == "script" and (attributes.get("src") or "").rpartition("/")[2] == searchindex.NAME:
            head.links.append(
                Found(attributes["src"] or "", tag="link", attributes={"title": "search index"}, region="nav")
            )
        elif tag == "meta":
            _read_meta(head, attributes)
    if not head.title and (title := tree.css_first("title")) is not None:
        head.title = fold(visible(title.text()))  # text before the head ends it, and its title lands in the body
    head.title = head.title or fold(head.meta.get("og:title", ""))
    return head


def _read_meta(head: _Head, attributes: Mapping[str, str | None]) -> None:
    """Take what `<meta>` declares, and where it sends the reader on to."""
    name = (attributes.get("property") or attributes.get("name") or attributes.get("itemprop") or "").lower()
    if name:
        head.meta.setdefault(name, attributes.get("content") or "")
    elif (attributes.get("http-equiv") or "").lower() == "refresh":
        refresh = _REFRESH.match(attributes.get("content") or "")
        if refresh and len(refresh[1]) < 5 and int(refresh[1]) <= _REFRESH_SECONDS:
            head.refresh = head.refresh or refresh[2].strip()


def _read_link(head: _Head, attributes: Mapping[str, str | None]) -> None:
    """Take `<link>`: the canonical URL, and the neighbours of a page that is one of a series."""
    href = attributes.get("href") or ""
    for rel in (attributes.get("rel") or "").lower().split():
        if rel == "canonical":
            head.canonical = head.canonical or href
        elif rel in _REL and href:
            head.links.append(
                Found(href, tag="link", attributes={"title": attributes.get("title") or _REL[rel]}, region="nav")
            )
