"""Where a page leads: targets made absolute, labels and contexts cut out of the finished markdown.

Targets come from anchors, image maps, frames, `onclick` handlers that set the location, and `data-url` attributes; what
is not http(s), or is the page itself, is no link.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from webfarer.core.errors import Refused
from webfarer.core.types import Link, Region
from webfarer.web.guard import canonical_url, split_fragment
from webfarer.web.markdown import Mark, fold

_CONTEXT = 200
_LABEL = 200
_ONCLICK = re.compile(
    r"(?:location(?:\.href)?\s*=(?!=)|location\.(?:assign|replace)\s*\(|window\.open\s*\()\s*"
    r"(?:'([^'\\]+)'|\"([^\"\\]+)\"|`([^`\\$]+)`)"
)
_UNSEEN = ("link", "meta")
_DATA = ("data-href", "data-url")
LEADING = ("href", "onclick", "src", *_DATA)
"""Attributes without which :func:`href_of` finds nothing."""
_LOOKS_LIKE_URL = re.compile(r"(?:https?:)?//\S+|[./?]\S*|[\w.~-]+(?:/\S*|\.(?:html?|php|aspx?|jsp)\S*)", re.IGNORECASE)
# A plain relative path needs no parsing: the base's folder and the path, joined, are already canonical.
_PLAIN = re.compile(r"((?:\.\./)*)((?:[A-Za-z0-9_~-][A-Za-z0-9_.~-]*/)*[A-Za-z0-9_~-][A-Za-z0-9_.~-]*)")
_LINE_SIGNS = re.compile(r"^[>\s]*(?:(?:[-:]|#+|\d+\.)\s+|\|\s|`{3,}\s*)*", re.MULTILINE)


@dataclass(slots=True, eq=False)
class Block:
    """The block of text a link stands in: offsets into the markdown; `end` is -1 while it is open."""

    start: int
    end: int = -1


@dataclass(slots=True, eq=False)
class Found(Mark):
    """A link as the walk meets it; its label is cut out when the markdown is complete.

    Attributes:
        href: target as written.
        tag: of its element.
        attributes: of its element; they name it when it has no text.
        region: part of the page it stands in.
        heading: nearest heading above it.
        block: text around it, None when it stands alone.
        at: offset at which its element begins.
    """

    href: str
    tag: str
    attributes: Mapping[str, str | None]
    region: Region
    heading: str = ""
    block: Block | None = None
    at: int = 0


class Targets:
    """Resolves the hrefs of one page.

    Args:
        here: canonical URL of the page.
        base: value of `<base href>`, or "".
    """

    def __init__(self, here: str, base: str = "") -> None:
        self._here = here
        self._base = here
        if base:
            self._base = _canonical(base, here) or here
        # The base's folder, the one above it, and so on up to the root.
        self._folders = [self._base.partition("?")[0].rpartition("/")[0]]
        while self._folders[-1].count("/") > 2:
            self._folders.append(self._folders[-1].rpartition("/")[0])
        self._known: dict[str, str] = {}

    def resolve(self, href: str) -> tuple[str, str] | None:
        """Return (URL, fragment), or None for what is no link to another page."""
        path, fragment = split_fragment(href.strip())
        url = self._known.get(path)
        if url is None:
            url = self._known[path] = self._resolve(path)
        if not url or (url == self._here and (fragment or not path)):
            return None
        return url, fragment

    def _resolve(self, path: str) -> str:
        plain = _PLAIN.fullmatch(path)
        if plain is None:
            return _canonical(path, self._base)
        above = min(len(plain[1]) // 3, len(self._folders) - 1)
        return f"{self._folders[above]}/{plain[2]}"


def _canonical(url: str, base: str) -> str:
    try:
        return canonical_url(url, base)
    except Refused:
        return ""


def href_of(tag: str, attributes: Mapping[str, str | None]) -> str:
    """Return where an element leads as it is written, or ""."""
    if tag in ("a", "area"):
        if href := attributes.get("href"):
            script = ":" in href and href.lstrip().lower().startswith("javascript:")
            return _handler(href) if script else href
    elif tag == "frame":
        return attributes.get("src") or ""
    if onclick := attributes.get("onclick"):
        return _handler(onclick)
    for name in _DATA:
        value = (attributes.get(name) or "").strip()
        if _LOOKS_LIKE_URL.fullmatch(value):
            return value
    return ""


def _handler(script: str) -> str:
    found = _ONCLICK.search(script)
    return next(filter(None, found.groups()), "") if found else ""


def _fallback(tag: str, attributes: Mapping[str, str | None]) -> str:
    """Return the name an element gives itself apart from its visible text, or ""."""
    names = ("aria-label", "title", "alt", "value" if tag == "input" else "name")
    return next((fold(value) for name in names if (value := attributes.get(name)) and value.strip()), "")[:_LABEL]


def finish(found: Found, number: int, markdown: str, target: tuple[str, str]) -> Link:
    """Return the finished link."""
    label, at = _label(found, markdown)
    return Link(
        id=number,
        url=target[0],
        label=label or _fallback(found.tag, found.attributes) or humanised(target[0]),
        context=_context(found, markdown, at, len(label)),
        heading=found.heading,
        fragment=target[1],
        region=found.region,
        at=at,
    )


def _label(found: Found, markdown: str) -> tuple[str, int]:
    """Return the best piece of the link's visible text, as it stands in the markdown, and its offset."""
    best, weight = ("", min(found.at, len(markdown))), -1.0
    for start, end, kind in found.pieces:
        piece = markdown[start : min(end, start + _LABEL)].rstrip()
        # A date, a number or an ornament names nothing while there are words.
        score = kind if len(found.pieces) == 1 else kind + 0.5 * any(map(str.isalpha, piece))
        if piece and score > weight:
            best, weight = (piece, start), score
    label, at = best
    return label.partition("\n")[0].rstrip(), at


def _context(found: Found, markdown: str, at: int, length: int) -> str:
    """Return the text of the block around the link, cut to size around its label."""
    if found.tag in _UNSEEN:
        return ""
    if found.block is not None:
        start, end = found.block.start, found.block.end if found.block.end >= 0 else len(markdown)
    else:
        first, last = (found.pieces[0][0], found.pieces[-1][1]) if found.pieces else (at, at)
        start, end = markdown.rfind("\n", 0, first) + 1, markdown.find("\n", last)
        end = end if end >= 0 else len(markdown)
    if end - start <= _CONTEXT and start <= at and at + length <= end:
        return fold(_plain(markdown[start:end])).removesuffix(" |")
    left, right = max(start, at - _CONTEXT), min(max(end, at + length), at + length + _CONTEXT)
    # "x" stands for the cut, so that folding keeps the space beside it.
    before = fold(_plain(markdown[left:at]) + "x")[:-1]
    after = fold(_plain("x" + markdown[at:right]))[1:]
    room = max((_CONTEXT - length) // 2, _CONTEXT - len(after), 0)
    if len(before) > room:
        before = before[len(before) - room :].partition(" ")[2]
    text = before + after
    if len(text) > _CONTEXT:
        text = text[:_CONTEXT].rpartition(" ")[0] or text[:_CONTEXT]
    return text.strip().removesuffix(" |")


def _plain(text: str) -> str:
    """Return `text` without the signs that begin lines of lists, quotes, headings and tables."""
    if "\n" not in text and text[:1].isalpha():
        return text
    return _LINE_SIGNS.sub(" ", text)


def humanised(url: str) -> str:
    """Return the last part of a URL's path as words ("annual-report_2024.html": "annual report 2024")."""
    parts = url.partition("?")[0].split("/")
    name = unquote(next((part for part in reversed(parts[3:]) if part), parts[2] if len(parts) > 2 else url))
    stem = re.sub(r"\.(?:html?|php|aspx?|jsp|md)$", "", name, flags=re.IGNORECASE)
    return fold(re.sub(r"[-_+]+", " ", stem)) or name
