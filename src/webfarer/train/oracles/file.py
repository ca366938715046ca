"""Answers that are known already: a file of labels, else the key that comes with the items.

The file holds {"item": id, "answer": text} a line; who gave an answer and what it cost may stand there too, so the
labels of one learning can serve another. Not a pool's reader (:mod:`webfarer.train.pools`).
"""

from collections.abc import AsyncIterator, Sequence

from webfarer.core.errors import ConfigError
from webfarer.evals.sources import read
from webfarer.train.oracle import Desk, Said
from webfarer.train.pool import PoolItem


class FileOracle:
    """Looks answers up."""

    def __init__(self, desk: Desk) -> None:
        self._key = desk.key
        self._known: dict[str, Said] = {}
        for row in read(desk.answers) if desk.answers else ():
            if row.find("word") == "skip":
                continue
            item, by, cost = row.text("item", "id"), row.find("by"), row.find("cost")
            self._known[item] = Said(item=item, answer=row.text("answer"), by=str(by or "file"), cost=cost or {})

    async def label(self, items: Sequence[PoolItem]) -> AsyncIterator[Said]:
        """Yield the answer of every item."""
        for item in items:
            if item.id in self._known:
                yield self._known[item.id]
            elif self._key is not None:
                yield Said(item=item.id, answer=self._key.answer(item.id), by="key")
            else:
                raise ConfigError(f"no answer is known to {item.id!r}, which was picked: give a file that has one")


oracle = FileOracle
