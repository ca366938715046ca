"""BrowseComp-ZH: 289 questions for browsing agents on the Chinese web; encrypted as published, in a workbook.

The workbook needs the extra `docs`; a CSV, JSON or JSONL of the same columns (Topic, Question, Answer, canary) is read
too, encrypted or not. Source: Zhou et al., "BrowseComp-ZH: Benchmarking Web Browsing Ability of Large Language Models
in Chinese", 2025, arXiv 2504.19314.
"""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial

from webfarer.core.config import Settings
from webfarer.evals.sources import Row, checked, row_id, rows
from webfarer.evals.task import Card, Changes, Item, Source, open_web
from webfarer.evals.tasks._copies import github_pages, hub_pages
from webfarer.evals.tasks._sealed import answered, opened


class BrowseCompZH:
    """The task."""

    card = Card(
        title="BrowseComp-ZH",
        source="https://arxiv.org/abs/2504.19314",
        settings=("search", "closed"),
        scorers=("judge", "named", "actions"),
        blocked=(*hub_pages(), *github_pages("PALIN2018/BrowseComp-ZH")),
    )

    async def items(self, source: Source) -> list[Item]:
        """Read and decrypt the file."""
        return checked(rows(source, self.card), partial(_item, key=source.key))

    def venue(self, items: Sequence[Item], settings: Settings) -> AbstractAsyncContextManager[Changes]:
        """Answer on the web as it is."""
        return open_web()


def _item(row: Row, key: str) -> Item:
    texts = opened(row, "Question", ("Question", "Answer", "Topic"), key)
    return Item(
        id=row_id(row, texts["Question"]),
        question=texts["Question"],
        answer=answered(row, texts["Answer"]),
        cells={"domain": texts["Topic"], "language": "zh"},
        data={"canary": canary} if (canary := str(row.find("canary") or "")) else {},
    )


task = BrowseCompZH()
