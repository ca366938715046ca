"""Answers that are known already: a file of labels, else the key that comes with the items.

The file holds {"item": id, "answer": text} a line; who gave an answer and what it cost may stand there too, so the
labels of one learning can serve another. Not a pool's reader (:mod:`webfarer.train.pools`).
"""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from webfarer.core.errors import ConfigError, boundary
from webfarer.core.fare import Ledger
from webfarer.evals.sources import read
from webfarer.train.oracle import Desk, Said
from webfarer.train.pool import PoolItem, admitted


class FileOracle:
    """Looks answers up."""

    name = "file"

    def __init__(self, desk: Desk) -> None:
        self._key = desk.key
        self._known = _read(desk.answers) if desk.answers else {}

    async def label(self, items: Sequence[PoolItem]) -> AsyncIterator[Said]:
        """Yield the answer of every item."""
        for item in items:
            if said := self._known.get(item.id):
                answer = admitted(item, said.answer)
                if not answer:
                    raise ConfigError(f"{said.answer!r} is none of the choices of {item.id!r}; mend the file of labels")
                yield said.model_copy(update={"answer": answer})
            elif self._key is not None:
                yield Said(item=item.id, answer=self._key.answer(item.id), by="key")
            else:
                raise ConfigError(f"no answer is known to {item.id!r}, which was picked: give a file that has one")


def _read(path: Path) -> dict[str, Said]:
    """Return the labels of a file by item; refusals in it are passed over."""
    known = {}
    for row in read(path):
        if row.find("word") != "skip":
            item, by, cost = row.text("item", "id"), row.find("by"), row.find("cost")
            with boundary(ConfigError, f"{row.place}: no label"):
                said = Said(item=item, answer=row.text("answer"), by=str(by or "file"), cost=cost or {})
                Ledger().charge(said.cost)
            known[item] = said
    return known


oracle = FileOracle
