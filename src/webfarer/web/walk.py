"""One walk over the parsed tree: skips what is hidden, follows regions, collects links, stops at its limits.

Iterative, so depth costs nothing. What an element means for the text is :mod:`webfarer.web.elements`' business, how
the text is written :mod:`webfarer.web.markdown`'s.
"""

from dataclasses import dataclass

from selectolax.lexbor import LexborHTMLParser, LexborNode

from webfarer.core.types import Region
from webfarer.web.elements import Attributes, Close, Elements, do_nothing, skip
from webfarer.web.links import LEADING, Found, href_of
from webfarer.web.markdown import Pen
from webfarer.web.regions import HIDING, NAMED, NAMING, TELLING_TAGS, is_hidden, region_of

_TELLING = frozenset((*HIDING, *LEADING))
_PERMALINKS = frozenset("¶ # § 🔗".split())


@dataclass(frozen=True, slots=True)
class ReadLimits:
    """How much of a document is read; what goes beyond is cut and the page says so.

    Attributes:
        html: characters of markup.
        nodes: elements and texts.
        links: links kept.
        markdown: characters of text.
    """

    html: int = 10_000_000
    nodes: int = 1_000_000
    links: int = 20_000
    markdown: int = 1_000_000


class Walk:
    """Reads a tree.

    Attributes:
        pen: holds the markdown.
        elements: what was learnt on the way (headings, a password field).
        found: the links in document order.
        truncated: a limit was reached.
    """

    def __init__(self, limits: ReadLimits, *, noscript: bool = False) -> None:
        self.pen = Pen()
        self.elements = Elements(self.pen)
        if noscript:
            del self.elements.openers["noscript"]
        self.found: list[Found] = []
        self.truncated = False
        self._limits = limits

    def read(self, tree: LexborHTMLParser) -> None:
        """Walk the whole tree."""
        elements, pen, most, left = self.elements, self.pen, self._limits.markdown, self._limits.nodes
        openers, enter, telling = elements.openers, self._enter, _TELLING
        stack: list[tuple[LexborNode, Close]] = []
        node = tree.root.first_child if tree.root is not None else None
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
            elif (opener := openers.get(tag, do_nothing)) is not skip:
                attributes = node.attributes
                if tag in NAMED or (attributes and not telling.isdisjoint(attributes)):
                    close = enter(node, tag, attributes)
                else:
                    close = opener(node, tag, attributes)
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

    def _enter(self, node: LexborNode, tag: str, attributes: Attributes) -> Close | None:
        """Open an element whose attributes or tag may hide it, make it a link or begin another region."""
        href = ""
        if attributes:
            if is_hidden(tag, attributes):
                return None
            href = href_of(tag, attributes)
            if href.startswith("#"):
                if node.text().strip() in _PERMALINKS:
                    return None
                href = ""
        region = self._region(node, tag, attributes) if tag in NAMED else None
        close_region = self._change_region(region) if region else None
        close = self.elements.openers.get(tag, do_nothing)(node, tag, attributes)
        if close is not None and href and (link := self._link(tag, attributes, href)) is not None:
            close = _first(link, close)
        return _first(close, close_region) if close and close_region else close

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
        if len(self.found) >= self._limits.links:
            self.truncated = True
            return None
        pen, elements = self.pen, self.elements
        block = elements.blocks[-1] if elements.blocks else None
        link = Found(href, tag, attributes, pen.region, elements.heading, block, pen.length)
        self.found.append(link)
        return (lambda: pen.close_mark(link)) if pen.open_mark(link) else None


def _first(one: Close, other: Close) -> Close:
    def close() -> None:
        one()
        other()

    return close
