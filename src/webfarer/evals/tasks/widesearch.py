"""WideSearch: 200 tables to be filled from the web, 100 asked in English and 100 in Chinese.

Read are the published `widesearch.jsonl` (instance_id, query, evaluation, language) and a CSV for each instance, in
`widesearch_gold` beside it. Of the published evaluation the columns, the key columns and each column's metric are taken
over, not its model that judges cells. Source: Wong et al., "WideSearch", 2025, arXiv 2508.07999.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path
from typing import Any

from webfarer.core.config import Settings
from webfarer.core.errors import ConfigError
from webfarer.evals.sources import Row, checked, hub_file, locate, read, subset
from webfarer.evals.task import Card, Changes, Item, Source, open_web
from webfarer.evals.tasks._copies import hub_pages

_GOLD = "widesearch_gold"


class WideSearch:
    """The task."""

    card = Card(
        title="WideSearch",
        source="https://arxiv.org/abs/2508.07999",
        settings=("search", "closed"),
        scorers=("table", "actions"),
        hub="ByteDance-Seed/WideSearch",
        files={"full": "widesearch.jsonl"},
        blocked=hub_pages("ByteDance-Seed/WideSearch"),
    )

    async def items(self, source: Source) -> list[Item]:
        """Read the questions and their tables; the subset is "" for all, or a language: "en", "zh"."""
        wanted = subset(source, self.card, ("en", "zh"))
        path = locate(source, self.card)

        def gold(name: str) -> Path:
            file = f"{_GOLD}/{name}.csv"
            return hub_file(self.card, file) if source.path is None else path.parent / file

        found = (row for row in read(path) if wanted in ("", row.text("language")))
        return checked(found, partial(_item, gold=gold))

    def venue(self, items: Sequence[Item], settings: Settings) -> AbstractAsyncContextManager[Changes]:
        """Answer on the web as it is."""
        return open_web()


def _item(row: Row, gold: Callable[[str], Path]) -> Item:
    name, evaluation = row.text("instance_id", "id"), row.inner("evaluation")
    columns, key = _names(evaluation, "required"), _names(evaluation, "unique_columns")
    if not set(key) <= set(columns):
        raise ConfigError(f"{row.place}: its unique columns {key} are not among the required ones", row=row.number)
    return Item(
        id=name,
        question=row.text("query", "question"),
        cells={"language": row.text("language")},
        data={
            "columns": columns,
            "key": key,
            "rows": _table(gold(name), columns),
            "rules": _rules(evaluation, columns),
        },
    )


def _names(evaluation: Row, name: str) -> list[str]:
    listed = evaluation.get(name)
    if not isinstance(listed, list) or not listed:
        raise ConfigError(f"{evaluation.place}: {name!r} is no list of columns", row=evaluation.number, key=name)
    return [_plain(str(column)) for column in listed]


def _plain(column: str) -> str:
    """Return a column's name as the published evaluation compares it."""
    return column.strip().lower().replace(" ", "")


def _table(path: Path, columns: Sequence[str]) -> list[list[str]]:
    """Return the required columns of an instance's table.

    Raises:
        ConfigError: the file is missing, empty, or lacks a column.
    """
    table = []
    for row in read(path):
        cells = {_plain(str(name)): str(value or "").strip() for name, value in row.values.items()}
        missing = [column for column in columns if column not in cells]
        if missing:
            raise ConfigError(f"{row.place}: no column {', '.join(missing)}; it has {', '.join(cells)}", row=row.number)
        table.append([cells[column] for column in columns])
    if not table:
        raise ConfigError(f"{path}: the table is empty")
    return table


def _rules(evaluation: Row, columns: Sequence[str]) -> dict[str, Any]:
    """Return the published metrics of each column."""
    pipeline = evaluation.find("eval_pipeline") or {}
    steps = {_plain(column): step for column, step in pipeline.items()} if isinstance(pipeline, dict) else {}
    return {
        column: {"metric": step.get("metric") or [], "criterion": step.get("criterion")}
        for column, step in steps.items()
        if column in columns and isinstance(step, dict)
    }


task = WideSearch()
