"""BrowseComp-Plus: 830 questions of BrowseComp over a fixed corpus of about 100,000 documents, so that runs compare.

Read are the decrypted JSONL (query_id, query, answer, gold_docs, evidence_docs) and, beside it, `corpus.jsonl` or a
folder `corpus` (docid, url, text); five results a search, as published. The engine is ours, not the published BM25 over
Lucene. Easier than BrowseComp: scores do not compare. Source: Chen et al., "BrowseComp-Plus", 2025, arXiv 2508.06600.
"""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial

from webfarer.core.config import Settings
from webfarer.core.errors import ConfigError
from webfarer.evals.sources import Row, checked, locate, read
from webfarer.evals.task import Card, Changes, Item, Source
from webfarer.evals.tasks._copies import hub_pages
from webfarer.evals.tasks._corpus import Corpus, address, identified, serve_corpus

_HOST = "browsecomp-plus.test"
_CORPORA = ("corpus.jsonl", "corpus")
_RESULTS = 5


class BrowseCompPlus:
    """The task."""

    card = Card(
        title="BrowseComp-Plus",
        source="https://arxiv.org/abs/2508.06600",
        settings=("search", "closed"),
        scorers=("judge", "named", "retrieval", "citations", "actions"),
        files={"test": "browsecomp_plus_decrypted.jsonl"},
        blocked=hub_pages(),
    )

    async def items(self, source: Source) -> list[Item]:
        """Read the questions; that the corpus is there is seen now, not after the first question."""
        path = locate(source, self.card)
        corpus = next((path.with_name(name) for name in _CORPORA if path.with_name(name).exists()), None)
        if corpus is None:
            raise ConfigError(
                f"neither {' nor '.join(_CORPORA)} lies beside {path}: the questions are answered from it"
            )
        return checked(read(path), partial(_item, corpus=identified(corpus)))

    def venue(self, items: Sequence[Item], settings: Settings) -> AbstractAsyncContextManager[Changes]:
        """Serve the documents."""
        return serve_corpus(_HOST, items, settings.home, _RESULTS)


def _item(row: Row, corpus: Corpus) -> Item:
    return Item(
        id=row.text("query_id", "id"),
        question=row.text("query", "question"),
        answer=row.text("answer"),
        gold=_addresses(row, "gold_docs"),
        cells={"language": "en"},
        data={**corpus, "evidence": _addresses(row, "evidence_docs")},
    )


def _addresses(row: Row, name: str) -> tuple[str, ...]:
    """Return the addresses of documents that are listed whole, or by their ids."""
    listed = row.get(name)
    if not isinstance(listed, list):
        raise ConfigError(f"{row.place}: {name!r} is no list", row=row.number, key=name)
    ids = (str(each.get("docid", "")) if isinstance(each, dict) else str(each) for each in listed)
    return tuple(dict.fromkeys(address(_HOST, each) for each in ids if each))


task = BrowseCompPlus()
