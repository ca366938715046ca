"""Tables in the text of an answer: the markdown table, or the comma-separated one in a code block, that fits best."""

import csv
import re
from collections.abc import Iterator, Sequence
from itertools import takewhile

from webfarer.evals.matching import key

Row = dict[str, str]
"""A cell for each column, by the column's key."""

_RULE = re.compile(r"\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?")
_CELL = re.compile(r"(?<!\\)\|")
_BLOCK = re.compile(r"```(?:csv|tsv|text)?[^\S\n]*\n(.*?)```", re.DOTALL | re.IGNORECASE)


def best_table(text: str, columns: Sequence[str]) -> list[Row]:
    """Return the rows of the table that has most of the `columns` (their keys), then most rows; [] without one."""
    tables = [*_markdown(text), *_separated(text)]
    wanted = set(columns)
    return max(tables, key=lambda rows: (len(wanted & rows[0].keys()), len(rows)), default=[])


def _markdown(text: str) -> Iterator[list[Row]]:
    lines = iter([line.strip() for line in text.splitlines()])
    before = ""
    for line in lines:
        if "|" in before and "-" in line and _RULE.fullmatch(line):
            rows = list(map(_cells, takewhile(lambda following: "|" in following, lines)))
            if rows:
                yield _rows(_cells(before), rows)
            line = ""
        before = line


def _separated(text: str) -> Iterator[list[Row]]:
    for block in _BLOCK.findall(text):
        try:
            head, *rows = [row for row in csv.reader(block.splitlines(), strict=True) if row] or [[]]
        except csv.Error:
            continue
        if rows:
            yield _rows(head, rows)


def _cells(line: str) -> list[str]:
    inner = line.removeprefix("|").removesuffix("|")
    return [cell.strip().replace("\\|", "|") for cell in _CELL.split(inner)]


def _rows(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[Row]:
    names = [key(name) for name in head]
    return [{name: cell.strip() for name, cell in zip(names, row, strict=False)} for row in rows]
