"""What each HTML element means for the text: one small method per kind.

A method writes what comes before the content and returns what is to happen after it, or None when the content is not to
be read. It never looks at links or regions; the walk does. Source: the HTML standard's rendering section, as far as
text is concerned.
"""

import re
from collections.abc import Callable, Mapping

from selectolax.lexbor import LexborNode

from webfarer.web.links import Block
from webfarer.web.markdown import Pen, fold
from webfarer.web.tables import Table, is_data_table

Attributes = Mapping[str, str | None]
Close = Callable[[], None]
Open = Callable[[LexborNode, str, Attributes], Close | None]

_LINES = "div address details summary legend fieldset figcaption"
_AIRY = "caption aside body center figure footer form header html nav section menu dir search hgroup frameset"
_SKIPPED = """head script style noscript template svg iframe object embed audio video canvas select datalist textarea
    title annotation annotation-xml rp rt noframes dialog -comment""".split()
_IN_LISTING = "a, br, div, p, img, [hidden], [style], [aria-hidden], " + ", ".join(_SKIPPED[:-1])
_FENCES = re.compile(r"`{3,}")


def _nothing() -> None:
    """Close an element that left nothing open."""


def do_nothing(node: LexborNode, tag: str, attributes: Attributes) -> Close:
    """Open an element that means nothing for the text but what is in it."""
    return _nothing


def skip(node: LexborNode, tag: str, attributes: Attributes) -> None:
    """Open an element whose content is not text for readers."""


class Elements:
    """Writes elements with a pen.

    Attributes:
        pen: holds the markdown.
        password: the page asks for a password.
        heading: text of the last heading.
        first_heading: text of the first `<h1>`.
        content: how many `<main>` and `<article>` are open.
        preformatted: how many `<pre>` are open.
        blocks: the open blocks that give links their context, innermost last.
    """

    def __init__(self, pen: Pen) -> None:
        self.pen = pen
        self.password = False
        self.heading = ""
        self.first_heading = ""
        self.content = 0
        self.preformatted = 0
        self.blocks: list[Block] = []
        self._lists: list[int] = []  # number of the next item; 0 in a list without numbers
        self._tables: list[Table | None] = []  # None for a table that arranges the page
        self._term: Block | None = None
        self.openers: dict[str, Open] = {
            **dict.fromkeys(_SKIPPED, skip),
            **dict.fromkeys(_LINES.split(), self._line),
            **dict.fromkeys(("label", "button"), self._apart),
            **dict.fromkeys(_AIRY.split(), self._airy),
            **dict.fromkeys(("code", "kbd", "samp", "tt"), self._code),
            **dict.fromkeys(("h1", "h2", "h3", "h4", "h5", "h6"), self._headline),
            **dict.fromkeys(("ul", "ol"), self._list),
            **dict.fromkeys(("td", "th"), self._cell),
            **dict.fromkeys(("pre", "listing", "xmp", "plaintext"), self._pre),
            **dict.fromkeys(("main", "article"), self._content),
            "p": self._paragraph,
            "li": self._item,
            "dl": self._definitions,
            "dt": self._term_of,
            "dd": self._definition,
            "table": self._table,
            "tr": self._row,
            "blockquote": self._quote,
            "br": self._break,
            "hr": self._rule,
            "img": self._image,
            "input": self._input,
        }

    def _line(self, node: LexborNode, tag: str, attributes: Attributes) -> Close:
        if self.preformatted:
            return lambda: self.pen.raw("\n")
        self.pen.line_break()
        return self.pen.line_break

    def _apart(self, node: LexborNode, tag: str, attributes: Attributes) -> Close:
        if self.preformatted:
            return _nothing
        self.pen.space()
        return self.pen.space

    def _airy(self, node: LexborNode, tag: str, attributes: Attributes) -> Close:
        self.pen.block()
        return self.pen.block

    def _content(self, node: LexborNode, tag: str, attributes: Attributes) -> Close:
        self.content += 1
        self.pen.block()

        def close() -> None:
            self.content -= 1
            self.pen.block()

        return close

    def _begin(self, block: Block | None = None) -> Block:
        """Open a block that gives links their context; in a table row that stays the row."""
        if block is None:
            block = self.blocks[-1] if self.pen.cell and self.blocks else Block(self.pen.length)
        self.blocks.append(block)
        return block

    def _end(self) -> None:
        block = self.blocks.pop()
        if not self.pen.cell and block.end < 0:
            block.end = self.pen.length

    def _paragraph(self, node: LexborNode, tag: str, attributes: Attributes) -> Close:
        self.pen.block()
        self._begin()
        return self._end_paragraph

    def _end_paragraph(self) -> None:
        self._end()
        self.pen.block()

    def _headline(self, node: LexborNode, tag: str, attributes: Attributes) -> Close:
        pen = self.pen
        pen.block()
        self._begin()
        state, weight, signed = pen.state(), pen.weight, not (pen.cell or self.preformatted)
        pen.weight = 2
        if signed:
            pen.indent("#" * int(tag[1]) + " ", "")

        def close() -> None:
            self._end()
            if text := fold(pen.since(state).strip().lstrip("#")):
                self.heading = text
                if tag == "h1" and not self.first_heading:
                    self.first_heading = text
            pen.block()
            pen.weight = weight
            if signed:
                pen.dedent()

        return close

    def _list(self, node: LexborNode, tag: str, attributes: Attributes) -> Close:
        pen, inner = self.pen, bool(self._lists)
        if self.blocks and not pen.cell and self.blocks[-1].end < 0 and inner:
            self.blocks[-1].end = pen.length  # an item's own text ends where its sublist begins
        gap = pen.line_break if inner else pen.block
        gap()
        start = (attributes.get("start") or "").strip()
        number = int(start) if start.isascii() and start.isdigit() and len(start) < 9 else 1
        self._lists.append(number if tag == "ol" else 0)

        def close() -> None:
            self._lists.pop()
            gap()

        return close

    def _end_item(self) -> None:
        self._end()
        self.pen.dedent()
        self.pen.line_break()

    def _item(self, node: LexborNode, tag: str, attributes: Attributes) -> Close:
        pen = self.pen
        pen.line_break()
        sign = "- "
        if self._lists and self._lists[-1]:
            sign = f"{self._lists[-1]}. "
            self._lists[-1] += 1
        pen.indent(sign, " " * len(sign))
        self._begin()
        return self._end_item

    def _definitions(self, node: LexborNode, tag: str, attributes: Attributes) -> Close:
        self.pen.block()
        before, self._term = self._term, None

        def close() -> None:
            self._term = before
            self.pen.block()

        return close

    def _term_of(self, node: LexborNode, tag: str, attributes: Attributes) -> Close:
        self.pen.block()
        self._term = self._begin()

        def close() -> None:
            self._end()
            self.pen.line_break()

        return close

    def _definition(self, node: LexborNode, tag: str, attributes: Attributes) -> Close:
        """Join the block of the term: a link in either is understood by both."""
        pen, block = self.pen, None if self.pen.cell else self._term
        pen.line_break()
        pen.indent(": ", "  ")
        block = self._begin(block)
        if not pen.cell:
            block.end = -1
        return self._end_item

    def _table(self, node: LexborNode, tag: str, attributes: Attributes) -> Close:
        table = Table(self.pen) if not self.pen.cell and not self.preformatted and is_data_table(node) else None
        self._tables.append(table)
        self.pen.block()

        def close() -> None:
            self._tables.pop()
            self.pen.block()

        return close

    def _row(self, node: LexborNode, tag: str, attributes: Attributes) -> Close:
        table = self._tables[-1] if self._tables else None
        if table is None:
            self.pen.line_break()
            return self.pen.line_break
        table.begin_row()
        self._begin()

        def close() -> None:
            table.end_row()
            self._end()

        return close

    def _cell(self, node: LexborNode, tag: str, attributes: Attributes) -> Close:
        table = self._tables[-1] if self._tables else None
        if table is None:
            self.pen.line_break()
            return self.pen.line_break
        table.cell(attributes)
        return _nothing

    def _quote(self, node: LexborNode, tag: str, attributes: Attributes) -> Close:
        pen = self.pen
        pen.block()
        pen.indent("> ", "> ")

        def close() -> None:
            pen.dedent()
            pen.block()

        return close

    def _code(self, node: LexborNode, tag: str, attributes: Attributes) -> Close:
        if self.preformatted:
            return _nothing
        self.pen.open_code()
        return self.pen.close_code

    def _pre(self, node: LexborNode, tag: str, attributes: Attributes) -> Close | None:
        if self.preformatted or self.pen.cell:
            return _nothing
        text = node.text()
        if not text.strip():
            return None
        fence = "`" * max(3, 1 + max(map(len, _FENCES.findall(text)), default=0))
        self.pen.open_fence(fence)
        if node.css_first(_IN_LISTING) is None:
            self.pen.raw(text)  # nothing but coloured words, which are most of a manual's elements
            self.pen.close_fence(fence)
            return None
        self.preformatted += 1

        def close() -> None:
            self.preformatted -= 1
            self.pen.close_fence(fence)

        return close

    def _break(self, node: LexborNode, tag: str, attributes: Attributes) -> None:
        if self.preformatted:
            self.pen.raw("\n")
        else:
            self.pen.line_break()

    def _rule(self, node: LexborNode, tag: str, attributes: Attributes) -> None:
        if self.pen.cell or self.preformatted:
            return
        self.pen.block()
        self.pen.sign("---")
        self.pen.block()

    def _image(self, node: LexborNode, tag: str, attributes: Attributes) -> None:
        alt = fold(attributes.get("alt") or "")
        if not alt or self.preformatted:
            return
        pen, weight = self.pen, self.pen.weight
        pen.split()
        pen.weight = 0
        pen.sign("![")
        pen.text(alt)
        pen.split()
        pen.sign("]")
        pen.weight = weight

    def _input(self, node: LexborNode, tag: str, attributes: Attributes) -> Close:
        if (attributes.get("type") or "").lower() == "password":
            self.password = True
        return _nothing
