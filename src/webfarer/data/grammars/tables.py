"""What tables with a head state: of every row, what stands in each column.

The first column names the rows. Tables that lay out a page, or list the site's own pages, have no head or name nothing;
they are left out. Invariant: all rows of a table are read or none is, so a set taken from it is complete.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import permutations

from webfarer.data.grammars._blocks import Blocks, Table, TableRow
from webfarer.data.grammars._finding import Found, Sheet, fits_a_question, found, plain, says_something, unnumbered
from webfarer.data.grammars._phrases import phrased, table_phrase
from webfarer.evals.matching import key
from webfarer.evals.scoring import normalise

_LETTER = re.compile(r"[^\W\d_]")
_DATA = re.compile(r".*(?:\(\)|_|\.$).*")  # a first row that is no head, but names or describes something
_FEWEST, _MOST = 3, 200
_HEAD = 40
_ROW = 60
_DESCRIPTION = (20, 240)
_LISTED = 12  # rows of a table whose entries can be asked for
_FAR = 4000  # characters between a table's name and a row that count as one piece of evidence


def tables(sheet: Sheet) -> Iterator[Found]:
    """Yield what a page's tables state."""
    fit = [table for table in sheet.blocks.tables if _fits(table)]
    named = Counter(_designation(table) for table in fit)
    headed = Counter((_designation(table), table.columns) for table in fit)
    for table in fit:
        if headed[_designation(table), table.columns] == 1:
            alone = named[_designation(table)] == 1
            yield from _rows(sheet, table, () if alone else tuple(map(plain, table.columns)))


def row_names(blocks: Blocks) -> list[str]:
    """Return what the rows of a page's tables are called; one that stands in two tables stands there twice."""
    return [plain(row.cells[0]) for table in blocks.tables if _fits(table) for row in table.rows]


def _designation(table: Table) -> str:
    return unnumbered(plain(table.caption or table.heading))


def _fits(table: Table) -> bool:
    """Say whether a table's first column names its rows, and its head its columns."""
    heads = [plain(column) for column in table.columns]
    names = [plain(row.cells[0]) for row in table.rows]
    return (
        _FEWEST <= len(names) <= _MOST
        and len(heads) > 1
        and len(set(heads)) == len(heads)
        and all(len(head) <= _HEAD and fits_a_question(head) and _is_head(head) for head in heads)
        and all(0 < len(name) <= _ROW and fits_a_question(name) and not set("`“") & set(name) for name in names)
        and len(set(names)) == len(names)
        and bool(_designation(table))
        and fits_a_question(_designation(table))
        and "“" not in _designation(table)
    )


def _is_head(text: str) -> bool:
    return _LETTER.search(text) is not None and _DATA.fullmatch(text) is None


def _phrase(cell: str) -> str:
    """Return the text of a cell without a full stop at its end."""
    text = plain(cell)
    return text[:-1] if re.fullmatch(r".*\w{2}[.。]", text) else text


def _rows(sheet: Sheet, table: Table, columns: tuple[str, ...]) -> Iterator[Found]:
    """Yield what the rows of a table state; `columns` tell it from another one of its name."""
    name = table_phrase(_designation(table), sheet.language, bool(table.caption), columns)
    heads = [plain(column) for column in table.columns]
    known = all(plain(row.cells[0]) in sheet.once for row in table.rows)
    blurred = {place for place in range(1, len(heads)) if _blurred([row.cells[place] for row in table.rows])}
    for row in table.rows:
        subject, span = plain(row.cells[0]), (row.start, row.end)
        for place, head in enumerate(heads[1:], 1):
            value = _phrase(row.cells[place])
            words = {"table": name, "column": head, "first": heads[0]}
            if says_something(value) and known:
                relation = phrased("column", sheet.language, page=sheet.name, **words)
                if place in blurred:
                    relation = replace(relation, whose="", those="")
                yield Found("column", subject, f"column:{sheet.name}:{name}:{head}", relation, value, *span)
            elif says_something(value):
                yield found(sheet, "cell", value, span, table=name, column=head, row=subject)
            once = sum(_phrase(other.cells[place]) == value for other in table.rows) == 1
            telling = _DESCRIPTION[0] <= len(value) <= _DESCRIPTION[1] and fits_a_question(value)
            if once and telling and says_something(subject):
                yield found(sheet, "row", subject, span, text=value, **words)
        if known and not columns and len(table.rows) <= _LISTED and row.end - table.start <= _FAR:
            yield _listed(sheet, table, row)


def _blurred(column: Sequence[str]) -> bool:
    """Say whether some cells of a column say the same in other words, or one more than another: "red", "blue, red"."""
    texts = sorted({*map(_phrase, column)})
    if len({*map(key, texts)}) < len(texts):
        return True
    words = [normalise(text) for text in texts]
    return any(one.strip() and one in other for one, other in permutations(words, 2))


def _listed(sheet: Sheet, table: Table, row: TableRow) -> Found:
    """Return that a table lists a row; the evidence reaches from the table's name to the row."""
    title = _designation(table)
    words = {"page": sheet.name, "first": plain(table.columns[0])}
    relation = phrased("listed", sheet.language, **words)
    key = f"listed:{sheet.name}:{words['first']}"
    return Found("listed", plain(row.cells[0]), key, relation, title, table.start, row.end)


grammar = tables
