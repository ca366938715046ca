"""HTML pages whose main text is known, read by Webfarer and by the libraries people use for it.

Truth is the text of the element that the page itself marks as its main one, scripts and `<nav>` left out, taken from
the parsed tree without any of the reader's own rules. Pages that mark none, or next to nothing, are left out; what a
library would make of those is not measured here, and that favours a reader which believes the marks, as ours does.
"""

import importlib
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from selectolax.lexbor import LexborHTMLParser

from webfarer.evals.bench import Row
from webfarer.evals.benches._read_score import Score, score, summary
from webfarer.web.extract import read_page
from webfarer.worlds.types import WorldSpec
from webfarer.worlds.world import generate

_URL = "http://127.0.0.1/page.html"
_MAIN = ("main", "[role=main]", "div.body", "article", "div.refentry", "div.article")
_LEAST = 200  # characters of a page worth judging
_PASSAGE = 60
Read = Callable[[bytes], str]


@dataclass(frozen=True, slots=True)
class Known:
    """A page and what is true of it: its main text, and passages of it that are worth quoting."""

    body: bytes
    truth: str
    passages: tuple[str, ...]


def page_rows(sites: Path, count: int) -> list[Row]:
    """Return a row per kind of page and reader, `count` pages of each kind at most."""
    kinds = {"generated": generated(count), "documentation": documentation(sites, count)}
    return [row for kind, pages in kinds.items() if pages for row in _compare(kind, pages)]


def generated(count: int) -> list[Known]:
    """Return pages of generated sites, half in English and half in Chinese; passages are the facts they state."""
    found: list[Known] = []
    for spec in (WorldSpec("organisation", 1, "en", size=count), WorldSpec("education", 2, "zh", size=count)):
        world = generate(spec)
        facts: dict[str, list[str]] = {}
        for fact in world.facts:
            facts.setdefault(fact.page, []).append(fact.value)
        pages = ((page.html, facts.get(path, ())) for path, page in world.pages.items() if page.html)
        found += islice(_known(pages), count // 2)
    return found


def documentation(sites: Path, count: int) -> list[Known]:
    """Return every k-th page of the unpacked documentation that marks its main text; passages are its paragraphs."""
    paths = sorted(path for path in sites.rglob("*.html") if path.is_file() and not path.is_symlink())
    some = islice(paths, 0, None, max(1, len(paths) // (2 * count)))
    return list(islice(_known((path.read_bytes(), None) for path in some), count))


def _known(pages: Iterable[tuple[bytes, Sequence[str] | None]]) -> Iterable[Known]:
    for body, passages in pages:
        tree = LexborHTMLParser(body.decode("utf-8", "replace"))
        for node in tree.css("script, style, noscript, template, nav"):
            node.decompose()
        main = next(filter(None, map(tree.css_first, _MAIN)), None)
        if main is None or len(truth := main.text(separator=" ")) < _LEAST:
            continue
        if passages is None:
            texts = [node.text() for node in main.css("p") if node.css_first("code, tt, img, sup") is None]
            passages = [text for text in texts if len(text.strip()) >= _PASSAGE]
        yield Known(body, truth, tuple(passages))


def _compare(kind: str, pages: Sequence[Known]) -> list[Row]:
    rows: list[Row] = []
    for name, load in READERS.items():
        about: Row = {"pages": kind, "n": len(pages), "reader": name}
        try:
            read = load()
        except ImportError:
            rows.append(about | {"reader": f"{name} (not installed)"})
            continue
        read(pages[0].body)  # what a library loads on first use is not its speed
        rows.append(about | summary([_scored(read, page) for page in pages]))
    return rows


def _scored(read: Read, page: Known) -> Score:
    began = time.process_time()
    try:
        text = read(page.body)
    except RecursionError:  # markdownify, on deeply nested pages
        text = ""
    return score(text, page.truth, page.passages, time.process_time() - began)


def _webfarer() -> Read:
    def read(body: bytes) -> str:
        page = read_page(body, url=_URL, content_type="text/html")
        return "\n".join(page.markdown[span.start : span.end] for region, span in page.spans if region == "main")

    return read


def _trafilatura() -> Read:
    extract = importlib.import_module("trafilatura").extract
    return lambda body: extract(body, output_format="markdown", include_links=False) or ""


def _readability() -> Read:
    document = importlib.import_module("readability").Document

    def read(body: bytes) -> str:
        summarised = LexborHTMLParser(document(body.decode("utf-8", "replace")).summary())
        return summarised.body.text(separator=" ") if summarised.body is not None else ""

    return read


def _markdownify() -> Read:
    convert = importlib.import_module("markdownify").markdownify
    return lambda body: str(convert(body.decode("utf-8", "replace"), strip=["a", "script", "style"]))


READERS: dict[str, Callable[[], Read]] = {
    "webfarer": _webfarer,
    "trafilatura": _trafilatura,
    "readability": _readability,
    "markdownify": _markdownify,
}
