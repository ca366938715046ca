"""MultiHop-RAG: 2,556 questions over 609 news articles, each answered from two to four of them, or from none.

The corpus is fixed and served here: a cheap set that runs offline and gives the same result every time. A path is the
folder that holds MultiHopRAG.json and corpus.json, or the first of them beside the second. Source: Tang and Yang,
"MultiHop-RAG", 2024, arXiv 2401.15391.
"""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Any

from webfarer.core.config import Settings
from webfarer.core.errors import ConfigError
from webfarer.evals.sources import Row, checked, hub_file, locate, read, row_id
from webfarer.evals.task import Card, Changes, Item, Source
from webfarer.evals.tasks._copies import github_pages, hub_pages
from webfarer.evals.tasks._corpus import Corpus, address, identified, serve_corpus

_HOST = "multihop-rag.test"
_CORPUS = "corpus.json"
_RESULTS = 10


class MultiHopRAG:
    """The task."""

    card = Card(
        title="MultiHop-RAG",
        source="https://arxiv.org/abs/2401.15391",
        settings=("search", "closed"),
        scorers=("named", "retrieval", "citations", "token_f1", "actions"),
        hub="yixuantt/MultiHopRAG",
        files={"train": "MultiHopRAG.json"},
        licence="ODC-BY",
        blocked=(*hub_pages("yixuantt/MultiHopRAG"), *github_pages("yixuantt/MultiHop-RAG")),
    )

    async def items(self, source: Source) -> list[Item]:
        """Read the questions; that the corpus is there is seen now, not after the first question."""
        path = locate(source, self.card)
        corpus = hub_file(self.card, _CORPUS) if source.path is None else path.with_name(_CORPUS)
        if not corpus.is_file():
            raise ConfigError(f"{corpus} is missing: the questions are answered from it")
        return checked(read(path), partial(_item, corpus=identified(corpus)))

    def venue(self, items: Sequence[Item], settings: Settings) -> AbstractAsyncContextManager[Changes]:
        """Serve the articles."""
        return serve_corpus(_HOST, items, settings.home, _RESULTS)


def _item(row: Row, corpus: Corpus) -> Item:
    question = row.text("query", "question")
    evidence = row.find("evidence_list") or []
    if not isinstance(evidence, list) or not all(map(_is_article, evidence)):
        raise ConfigError(f"{row.place}: 'evidence_list' is no list of articles with a url", row=row.number)
    return Item(
        id=row_id(row, question),
        question=question,
        answer=row.text("answer"),
        gold=tuple(dict.fromkeys(address(_HOST, each["url"]) for each in evidence)),
        cells={"type": row.text("question_type"), "language": "en"},
        data={**corpus},
    )


def _is_article(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("url"), str) and bool(value["url"])


task = MultiHopRAG()
