"""SimpleQA: 4,326 short factual questions; close to solved with a search engine, so mostly a check of the plumbing.

The published CSV has the columns metadata, problem and answer, where metadata is a Python literal with topic,
answer_type and urls. Not a test of browsing. Source: Wei et al., "Measuring short-form factuality in large language
models", 2024, arXiv 2411.04368.
"""

import ast
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

from webfarer.core.config import Settings
from webfarer.core.errors import ConfigError, boundary
from webfarer.evals.sources import Row, checked, row_id, rows
from webfarer.evals.task import Card, Changes, Item, Source, open_web
from webfarer.evals.tasks._copies import hub_pages


class SimpleQA:
    """The task."""

    card = Card(
        title="SimpleQA",
        source="https://arxiv.org/abs/2411.04368",
        settings=("search", "closed"),
        scorers=("judge", "named", "actions"),
        hub="basicv8vc/SimpleQA",
        files={"test": "simple_qa_test_set.csv"},
        licence="MIT",
        blocked=(*hub_pages(), "openaipublic.blob.core.windows.net/simple-evals"),
    )

    async def items(self, source: Source) -> list[Item]:
        """Read the file."""
        return checked(rows(source, self.card), _item)

    def venue(self, items: Sequence[Item], settings: Settings) -> AbstractAsyncContextManager[Changes]:
        """Answer on the web as it is."""
        return open_web()


def _item(row: Row) -> Item:
    question, about = row.text("problem", "question"), _metadata(row)
    urls = about.get("urls") or ()
    return Item(
        id=row_id(row, question),
        question=question,
        answer=row.text("answer"),
        gold=tuple(map(str, urls)) if isinstance(urls, list | tuple) else (),
        cells={
            "type": str(about.get("answer_type", "")),
            "domain": str(about.get("topic", "")),
            "language": "en",
        },
    )


def _metadata(row: Row) -> dict[str, Any]:
    value = row.find("metadata") or {}
    if isinstance(value, str):
        with boundary(ConfigError, f"{row.place}: 'metadata' is no literal", row=row.number, key="metadata"):
            value = ast.literal_eval(value)
    return value if isinstance(value, dict) else {}


task = SimpleQA()
