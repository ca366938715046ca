"""What a page's markdown consists of: tables, entries of definition lists, and lines of prose, with their offsets.

Only the main text is read; code blocks are left out. Not a markdown parser: it reads what
:mod:`webfarer.web.markdown` writes, where every paragraph is one line. Invariant: `markdown[start:end]` of a block is
the text it was read from.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import zip_longest

from webfarer.core.types import Page

_FENCE = re.compile(r"[>\s]*(?:(?:[-:]|\d+\.)\s+)*`{3,}")
_HEADING = re.compile(r"#+ +(.+)")
_RULE = re.compile(r"\|(?: --- \|)+")
_CELL = re.compile(r"(?<!\\) ?\| ?")
_MARKER = re.compile(r"(?:[-:]|\d+[.)])\s+")
_INDENT = 2  # of a definition below its term
_LEAST = 3  # lines of a table: head, rule and a row
_CAPTION = re.compile(r"(?:[A-Z\d\u3400-\u9fff]|`).{1,88}[^.:;,?!。：；，？！-]")  # no sentence, and not the end of one


@dataclass(frozen=True, slots=True)
class Line:
    """A line of prose: a paragraph, an item of a list, or a term; `indent` columns from the left, markers apart."""

    start: int
    end: int
    indent: int
    text: str
    heading: str
    defines: bool = False


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row and its cells."""

    start: int
    end: int
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A table with a head.

    Attributes:
        start: of its caption, else of the heading.
        caption: line right above it, where that is no sentence; else "".
        heading: nearest heading above it.
    """

    start: int
    caption: str
    heading: str
    columns: tuple[str, ...]
    rows: tuple[TableRow, ...]


@dataclass(slots=True)
class Entry:
    """A term and what is said of it.

    Attributes:
        owner: the entry it is part of.
        before: the line right above, where it stands on the same level: often another term for the same.
        body: lines that belong to it and to no entry within it.
    """

    term: Line
    owner: "Entry | None"
    before: Line | None = None
    body: list[Line] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Blocks:
    """What a page consists of; the lines are those outside tables, terms included."""

    title: Line | None
    lines: tuple[Line, ...]
    tables: tuple[Table, ...]
    entries: tuple[Entry, ...]


def read_blocks(page: Page) -> Blocks:
    """Return the blocks of a page's main text."""
    title: Line | None = None
    above: Line | None = None
    lines, tables = list[Line](), list[Table]()
    heading, rows = Line(0, 0, 0, "", ""), list[Line]()
    for line in (*_lines(page), Line(0, 0, 0, "", "")):
        if line.text.startswith("|"):
            rows.append(line)
            continue
        if rows:
            tables.extend(_table(rows, heading, above))
            rows, above = [], None
        if found := _HEADING.fullmatch(line.text):
            heading, above = replace(line, text=found[1], heading=found[1]), None
            title = title or heading
        elif line.text:
            above = replace(line, heading=heading.text)
            lines.append(above)
    return Blocks(title, tuple(lines), tuple(tables), tuple(_entries(lines)))


def _lines(page: Page) -> Iterator[Line]:
    """Yield the lines that hold text, markers of lists taken off, code left out."""
    for region, span in page.spans:
        if region != "main":
            continue
        at, code = span.start, False
        for raw in page.markdown[span.start : span.end].split("\n"):
            start, at = at, at + len(raw) + 1
            if _FENCE.match(raw):
                code = not code
            text = raw.lstrip()
            if code or not text or text.startswith((">", "```")):
                continue
            start += len(raw) - len(text)
            indent, defines = len(raw) - len(text), text.startswith(": ")
            while marker := _MARKER.match(text):
                text, start = text[marker.end() :], start + marker.end()
                indent += marker.end()
            yield Line(start, start + len(text.rstrip()), indent, text.rstrip(), "", defines)


def cells(row: str) -> tuple[str, ...]:
    """Return the texts of a row's cells."""
    return tuple(_CELL.split(row.strip())[1:-1])


def _table(rows: list[Line], heading: Line, above: Line | None) -> Iterator[Table]:
    """Yield the table, where it has a head and every row fits it; `above` is the line right above it."""
    if len(rows) < _LEAST or not _RULE.fullmatch(rows[1].text):
        return
    columns = cells(rows[0].text)
    body = tuple(TableRow(row.start, row.end, cells(row.text)) for row in rows[2:])
    if all(len(row.cells) == len(columns) for row in body):
        caption = above if above and above.indent == rows[0].indent and _CAPTION.fullmatch(above.text) else None
        yield Table((caption or heading).start, caption.text if caption else "", heading.text, columns, body)


def _entries(lines: list[Line]) -> Iterator[Entry]:
    """Yield the entries of definition lists, in the order of their terms."""
    open_: list[Entry] = []
    previous: Line | None = None
    for line, following in zip_longest(lines, lines[1:]):
        while open_ and line.indent <= open_[-1].term.indent:
            open_.pop()
        if following and following.defines and not line.defines and following.indent == line.indent + _INDENT:
            beside = previous if previous and previous.indent == line.indent and not previous.defines else None
            open_.append(Entry(line, open_[-1] if open_ else None, beside))
            yield open_[-1]
        elif open_:
            open_[-1].body.append(line)
        previous = line
