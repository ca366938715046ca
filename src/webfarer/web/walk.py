"""One walk over the parsed tree: skips what is hidden, follows regions, collects links, stops at its bounds.

Iterative, so depth costs nothing. What an element means for the text is :mod:`webfarer.web.elements`' business, how
the text is written :mod:`webfarer.web.markdown`'s.
"""

from dataclasses import dataclass

from selectolax.lexbor import LexborNode

from webfarer.core.types import Region
from webfarer.web.elements import Attributes, Close, Elements
from webfarer.web.links import LEADING, Found, href_of
from webfarer.web.markdown import Pen
from webfarer.web.regions import HIDING, NAMED, NAMING, TELLING_TAGS, is_hidden, region_of

_SKIPPED = frozenset(
    """head script style noscript template svg iframe object embed audio video canvas select datalist textarea title
    annotation annotation-xml rp rt noframes dialog -comment""".split()
)
_TELLING = frozenset((*HIDING, *LEADING))
_IN_LISTING = "a, br, div, p, img, [hidden], [style], [aria-hidden], [onclick], [data-url], [data-href], " + ", ".join(
    sorted(_SKIPPED - {"-comment"})
)
_PERMALINKS = frozenset("¶ # § 🔗".split())


@dataclass(frozen=True, slots=True)
class Bounds:
    """Where the walk stops: nodes visited, links kept, characters of markdown."""

    nodes: int
    links: int
    markdown: int


class Walk:
    """Reads a tree.

    Attributes:
        pen: holds the markdown.
        elements: what was learnt on the way (headings, a password field).
        found: the links in document order.
        truncated: a bound was reached.
    """

    def __init__(self, bounds: Bounds, *, noscript: bool = False) -> None:
        self.pen = Pen()
        self.elements = Elements(self.pen)
        self.found: list[Found] = []
        self.truncated = False
        self._bounds = bounds
        self._skipped = _SKIPPED - {"noscript"} if noscript else _SKIPPED
        self._notable = NAMED | self.elements.openers.keys()

    def read(self, root: LexborNode) -> None:
        """Walk the tree under `root`."""
        elements, pen, most, left = self.elements, self.pen, self._bounds.markdown, self._bounds.nodes
        skipped, notable, telling, enter = self._skipped, self._notable, _TELLING, self._enter
        stack: list[tuple[LexborNode, Close]] = []
        node = root.first_child
        while node is not None and left > 0 and pen.length <= most:
            left -= 1
            tag = node.tag or ""
            if tag == "-text":
                text = node.text_content or ""
                if elements.preformatted:
                    pen.raw(text)
                elif text.isspace():
                    pen.space()
                else:
                    pen.text(text)
            elif tag not in skipped:
                attributes = node.attributes
                told = bool(attributes) and not telling.isdisjoint(attributes)
                close = enter(node, tag, attributes, told) if told or tag in notable else _nothing
                if close is not None:
                    child = node.first_child
                    if child is not None:
                        stack.append((node, close))
                        node = child
                        continue
                    close()
            following = node.next
            while following is None and stack:
                node, close = stack.pop()
                close()
                following = node.next
            node = following
        self.truncated = self.truncated or node is not None
        while stack:
            stack.pop()[1]()

    def _enter(self, node: LexborNode, tag: str, attributes: Attributes, told: bool) -> Close | None:
        """Open an element; return what closes it, or None when its content is not to be read."""
        href = ""
        if told:
            if is_hidden(tag, attributes):
                return None
            href = href_of(tag, attributes)
            if href.startswith("#"):
                if node.text().strip() in _PERMALINKS:
                    return None
                href = ""
        region = self._region(node, tag, attributes) if tag in NAMED and (attributes or tag in TELLING_TAGS) else None
        close_region = self._change_region(region) if region else None
        opener = self.elements.openers.get(tag)
        close = opener(node, tag, attributes) if opener else None
        if tag == "pre" and close and not href and node.css_first(_IN_LISTING) is None:
            self.pen.raw(node.text())  # a listing of nothing but coloured words: most of a manual's elements
            close()
            return None
        if href and (link := self._link(tag, attributes, href)) is not None:
            close = _first(link, close) if close else link
        if close_region:
            close = _first(close, close_region) if close else close_region
        return close or _nothing

    def _region(self, node: LexborNode, tag: str, attributes: Attributes) -> Region | None:
        """Return the region the element changes to, or None when it changes nothing."""
        if NAMING.isdisjoint(attributes) and tag not in TELLING_TAGS:
            return None
        region, before = region_of(tag, attributes), self.pen.region
        if region is None or region == before:
            return None
        if region in ("header", "footer"):
            # An article has its own, and manual pages call their title block "header".
            own = self.elements.content > 0 or before != "main"
            if own or (tag != "header" and node.css_first("h1") is not None):
                return None
        return region

    def _change_region(self, region: Region) -> Close:
        pen, before = self.pen, self.pen.region
        pen.block()
        pen.region = region

        def close() -> None:
            pen.block()
            pen.region = before

        return close

    def _link(self, tag: str, attributes: Attributes, href: str) -> Close | None:
        if len(self.found) >= self._bounds.links:
            self.truncated = True
            return None
        pen, elements = self.pen, self.elements
        block = elements.blocks[-1] if elements.blocks else None
        link = Found(href, tag, attributes, pen.region, elements.heading, block, pen.length)
        self.found.append(link)
        return (lambda: pen.close_mark(link)) if pen.open_mark(link) else None


def _nothing() -> None:
    """Close an element that left nothing open."""


def _first(one: Close, other: Close) -> Close:
    def close() -> None:
        one()
        other()

    return close
