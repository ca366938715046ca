"""GAIA: questions for general assistants, three levels; validation only, the test answers are not published.

The subset "text" is every question without an attached file; published "text-103" figures are of a further selection.
Attached files are named, not opened. The hub's copy is gated and in Parquet: the older `metadata.jsonl` is read, or any
JSONL with its keys. Source: Mialon et al., "GAIA: a benchmark for General AI Assistants", 2023, arXiv 2311.12983.
"""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager

from webfarer.core.config import Settings
from webfarer.core.errors import ConfigError
from webfarer.evals.sources import Row, checked, rows, subset
from webfarer.evals.task import Card, Changes, Item, Source, open_web
from webfarer.evals.tasks._copies import hub_pages

_HIDDEN = "?"


class Gaia:
    """The task."""

    card = Card(
        title="GAIA",
        source="https://arxiv.org/abs/2311.12983",
        settings=("search", "closed"),
        scorers=("quasi_exact", "actions"),
        hub="gaia-benchmark/GAIA",
        files={"validation": "2023/validation/metadata.jsonl", "test": "2023/test/metadata.jsonl"},
        licence="gated; not to be reshared",
        blocked=hub_pages(),
    )

    async def items(self, source: Source) -> list[Item]:
        """Read the split; the subset is "" or "text"."""
        text_only = subset(source, self.card, ("text",)) == "text"
        wanted = (row for row in rows(source, self.card) if not (text_only and row.find("file_name")))
        return checked(wanted, _item)

    def venue(self, items: Sequence[Item], settings: Settings) -> AbstractAsyncContextManager[Changes]:
        """Answer on the web as it is."""
        return open_web()


def _item(row: Row) -> Item:
    answer = row.text("Final answer", "answer")
    if answer == _HIDDEN:
        raise ConfigError(f"{row.place}: the answers of this split are not published", row=row.number)
    attached = str(row.find("file_name") or "")
    return Item(
        id=row.text("task_id", "id"),
        question=row.text("Question"),
        answer=answer,
        cells={"difficulty": f"level {row.text('Level')}", "language": "en"},
        data={"file": attached} if attached else {},
    )


task = Gaia()
