"""Tables: which of them hold data, and how their rows become lines between pipes.

One row is one line; the first row counts as the header, as pipe tables demand. A cell that spans rows is written once,
its place in the later rows stays empty. A table that only arranges a page is none of this module's business.
"""

from collections.abc import Mapping

from selectolax.lexbor import LexborNode

from webfarer.web.markdown import Pen

_MAX_SPAN = 30
_STRUCTURE = "table, h1, h2, h3, h4, h5, h6, form, ul, ol, dl, pre, blockquote, p, th, td, tr"
_ALWAYS_LAYOUT = frozenset("table h1 h2 h3 h4 h5 h6 form".split())
_LAYOUT_UNLESS_HEADED = frozenset("ul ol dl pre blockquote".split())


def is_data_table(table: LexborNode) -> bool:
    """Say whether a table holds data; a table with blocks in it, or with one column, arranges a page."""
    if (table.attributes.get("role") or "") in ("presentation", "none"):
        return False
    tags = [node.tag or "" for node in table.css(_STRUCTURE) if node.mem_id != table.mem_id]
    cells, rows, headed = tags.count("td") + tags.count("th"), tags.count("tr"), "th" in tags
    if cells <= rows or not _ALWAYS_LAYOUT.isdisjoint(tags):
        return False
    return headed or (_LAYOUT_UNLESS_HEADED.isdisjoint(tags) and tags.count("p") <= cells)


def span_of(attributes: Mapping[str, str | None], name: str) -> int:
    """Return a cell's `colspan` or `rowspan` within reason."""
    value = (attributes.get(name) or "").strip()
    return max(1, min(int(value), _MAX_SPAN)) if value.isascii() and value.isdigit() and len(value) < 9 else 1


class Table:
    """Writes the rows of one data table."""

    def __init__(self, pen: Pen) -> None:
        self._pen = pen
        self._columns = 0  # of the first row
        self._column = 0
        self._covered: dict[int, int] = {}  # column: rows still covered by a cell from above
        self._state = pen.state()

    def begin_row(self) -> None:
        """Begin a row."""
        self._pen.line_break()
        self._state = self._pen.state()
        self._column = 0

    def cell(self, attributes: Mapping[str, str | None]) -> None:
        """Begin a cell; what it spans is filled with empty ones when the next begins."""
        self._skip_covered()
        width, height = span_of(attributes, "colspan"), span_of(attributes, "rowspan")
        first = self._column
        for column in range(first, first + width):
            self._covered[column] = height
        self._separate()
        self._covered[first] -= 1

    def end_row(self) -> None:
        """End the row; a row without any text is taken back."""
        self._skip_covered()
        if self._column == 0 or self._pen.rewind(self._state):
            return
        rule = "|" + " --- |" * self._column if not self._columns else ""
        self._columns = self._columns or self._column
        self._pen.end_row(rule)

    def _skip_covered(self) -> None:
        while self._covered.get(self._column, 0) > 0:
            self._covered[self._column] -= 1
            self._separate()

    def _separate(self) -> None:
        self._pen.begin_cell("| " if self._column == 0 else " | ")
        self._column += 1
