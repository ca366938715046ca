"""The same number of rows of every cell, as far as there are any: one of each in turn, the questions of a cell in turn.

A cell is what a question has in all its keys together (type, difficulty, language, …). Invariant: no cell has two rows
fewer than another, unless it has no more.
"""

from collections.abc import Hashable, Iterable, Iterator, Sequence
from itertools import islice
from random import Random
from typing import TypeVar

from webfarer.data.selector import Pool

T = TypeVar("T")


class Balance:
    """Takes from every cell in turn; which cell and which of its rows comes first is drawn."""

    title = "The same share of every cell"
    source = "stratified sampling with equal allocation; Cochran, Sampling Techniques, 1977"

    async def select(self, pool: Pool, count: int) -> Sequence[int]:
        """Return rows of all cells, in turn."""
        drawn = list(range(len(pool.rows)))
        Random(pool.seed).shuffle(drawn)
        cells = _groups((tuple(sorted(pool.rows[at].cells.items())), at) for at in drawn)
        turns = [list(_in_turn(_groups((pool.rows[at].question, at) for at in cell))) for cell in cells]
        return list(islice(_in_turn(turns), count))


def _groups(pairs: Iterable[tuple[Hashable, T]]) -> list[list[T]]:
    """Return the values of every key, keys and values in the order in which they come."""
    groups: dict[Hashable, list[T]] = {}
    for key, value in pairs:
        groups.setdefault(key, []).append(value)
    return list(groups.values())


def _in_turn(groups: Sequence[Sequence[T]]) -> Iterator[T]:
    """Yield one value of each group, then the next of each that has one, and so on."""
    for turn in range(max(map(len, groups), default=0)):
        yield from (group[turn] for group in groups if turn < len(group))


selector = Balance()
