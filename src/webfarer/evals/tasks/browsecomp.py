"""BrowseComp: 1,266 questions whose short answers are easy to check and hard to find; encrypted as published.

Every text is decrypted in memory. Copies of the set are blocked during a run, and a page that holds a row's canary is
a contaminated one. Source: Wei et al., "BrowseComp: A Simple Yet Challenging Benchmark for Browsing Agents", 2025; the
published CSV has the columns problem, answer, problem_topic and canary.
"""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial

from webfarer.core.config import Settings
from webfarer.evals.sources import Row, checked, row_id, rows
from webfarer.evals.task import Card, Changes, Item, Source, open_web
from webfarer.evals.tasks._copies import hub_pages
from webfarer.evals.tasks._sealed import answered, opened


class BrowseComp:
    """The task."""

    card = Card(
        title="BrowseComp",
        source="https://openaipublic.blob.core.windows.net/simple-evals/browse_comp_test_set.csv",
        settings=("search", "closed"),
        scorers=("judge", "named", "actions"),
        licence="MIT",
        blocked=(*hub_pages(), "openaipublic.blob.core.windows.net/simple-evals"),
    )

    async def items(self, source: Source) -> list[Item]:
        """Read and decrypt the file."""
        return checked(rows(source, self.card), partial(_item, key=source.key))

    def venue(self, items: Sequence[Item], settings: Settings) -> AbstractAsyncContextManager[Changes]:
        """Answer on the web as it is."""
        return open_web()


def _item(row: Row, key: str) -> Item:
    texts = opened(row, "problem", ("problem", "answer"), key)
    return Item(
        id=row_id(row, texts["problem"]),
        question=texts["problem"],
        answer=answered(row, texts["answer"]),
        cells={"domain": str(row.find("problem_topic") or ""), "language": "en"},
        data={"canary": canary} if (canary := str(row.find("canary") or "")) else {},
    )


task = BrowseComp()
