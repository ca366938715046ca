"""Tables: item, row and table scores, rows matched on the key columns (WideSearch).

`item.data` holds "columns", the "key" columns among them, and "rows" (a list of cells each); "rules" may hold, by
column, the published metric: "number_near" with its relative "criterion", or "url_match" (the same hosts); all else is
compared as `quasi_exact` does. No model maps columns or judges cells, so that this is a lower bound of the published
scores. Source: Wong et al., "WideSearch: Benchmarking Agentic Broad Info-Seeking", 2025.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from webfarer.core.errors import ConfigError
from webfarer.evals.matching import alike, f1, key
from webfarer.evals.quantities import quantity
from webfarer.evals.scorer import Attempt, Marks
from webfarer.evals.scorers._averaged import Averaged
from webfarer.evals.scorers._tables import Row, best_table
from webfarer.evals.task import Item

_NEAR = 0.05
_URL = re.compile(r"https?://[^\s)\]>|,]+")

Same = Callable[[str, str], bool]


@dataclass(frozen=True, slots=True)
class Truth:
    """The table that is asked for, its columns by their keys."""

    columns: tuple[str, ...]
    unique: tuple[str, ...]
    rows: tuple[Row, ...]
    same: Mapping[str, Same]

    @classmethod
    def of(cls, item: Item) -> "Truth":
        """Read an item's table.

        Raises:
            ConfigError: it has none, or its key columns are not among its columns.
        """
        data = item.data
        columns = tuple(map(key, data.get("columns", ())))
        unique = tuple(map(key, data.get("key", ())))
        if not unique or not set(unique) <= set(columns) or not data.get("rows"):
            raise ConfigError(f'item {item.id}: the scorer table needs data "columns", "key" (some of them) and "rows"')
        if any(len(row) != len(columns) for row in data["rows"]):
            raise ConfigError(f"item {item.id}: a row of its table has more or fewer cells than there are columns")
        rows = tuple(dict(zip(columns, map(str, row), strict=True)) for row in data["rows"])
        rules = {key(column): _rule(rule) for column, rule in data.get("rules", {}).items()}
        return cls(columns, unique, _distinct(rows, unique), {name: rules.get(name, alike) for name in columns})


class Table(Averaged):
    """Right when the table is: every row of the reference, no other row, every cell the same."""

    metrics = (
        *("correct", "item_f1", "item_precision", "item_recall"),
        *("row_f1", "row_precision", "row_recall"),
    )

    async def mark(self, attempt: Attempt) -> Marks:
        """Mark the table in an answer; one without a table scores 0."""
        truth = Truth.of(attempt.item)
        said = _distinct(best_table(attempt.text, truth.columns), truth.columns)
        known = {_identity(row, truth.unique): row for row in truth.rows}
        first = _distinct(said, truth.unique)  # of two rows with one key that differ, the second hits nothing
        pairs = [(row, known[name]) for row in first if (name := _identity(row, truth.unique)) in known]
        cells = [
            [name in truth.unique or (name in row and _equal(truth.same[name], row[name], true[name])) for name in true]
            for row, true in pairs
        ]
        width = len(truth.columns)
        items = _shares(sum(map(sum, cells)), len(said) * width, len(known) * width, "item")
        rows = _shares(sum(map(all, cells)), len(said), len(known), "row")
        right = items["item_f1"] == rows["row_f1"] == 1.0
        missed = known.keys() - {_identity(row, truth.unique) for row in said}
        detail = {"rows": len(said), "matched": len(pairs), "missed": sorted(map(" | ".join, missed))}
        return Marks({"correct": float(right), **items, **rows}, detail)


def _shares(hits: int, said: int, known: int, name: str) -> dict[str, float]:
    precision, recall = hits / said if said else 0.0, hits / known
    return {f"{name}_f1": f1(precision, recall), f"{name}_precision": precision, f"{name}_recall": recall}


def _identity(row: Row, unique: Sequence[str]) -> tuple[str, ...]:
    return tuple(key(row.get(name, "")) for name in unique)


def _distinct(rows: Iterable[Row], unique: Sequence[str]) -> tuple[Row, ...]:
    """Return the rows without those whose cells in the columns `unique` came before."""
    first: dict[tuple[str, ...], Row] = {}
    for row in rows:
        first.setdefault(_identity(row, unique), row)
    return tuple(first.values())


def _equal(same: Same, said: str, true: str) -> bool:
    """Compare two cells; an empty one is right where the reference's is empty."""
    return same(said, true) if said.strip() and true.strip() else said.strip() == true.strip()


def _rule(rule: Mapping[str, Any]) -> Same:
    metrics = rule.get("metric", ())
    if "number_near" in metrics:
        share = rule.get("criterion")  # a text where it is meant for a judge
        return partial(_near, float(share) if isinstance(share, int | float) else _NEAR)
    return _same_hosts if "url_match" in metrics else alike


def _near(tolerance: float, said: str, true: str) -> bool:
    mine, yours = quantity(said), quantity(true)
    return mine.agrees(yours, tolerance) if mine and yours else alike(said, true)


def _same_hosts(said: str, true: str) -> bool:
    mine, yours = ({_host(url) for url in _URL.findall(text)} for text in (said, true))
    return mine == yours if mine or yours else alike(said, true)


def _host(url: str) -> str:
    try:
        return urlsplit(url).netloc.lower()
    except ValueError:
        return url


scorer = Table()
