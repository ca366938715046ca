"""Naive best-first search: the link whose label shares most words with the question; a baseline.

Every link seen is a candidate, whatever page it stands on; among equals the one found first wins. Reads and answers as
the lexical policy does, so that a comparison of the two says what choosing links is worth.
"""

import heapq
from typing import NamedTuple

from webfarer.agents.decisions import Click, Context, Enough, Move, Walk
from webfarer.agents.policies._frontier import Frontier
from webfarer.agents.reading import ReadingPolicy
from webfarer.core.text import words


class _Candidate(NamedTuple):
    rank: int
    found: int
    click: Click


class WordOverlap(ReadingPolicy):
    """Chooses the link with the most question words in its label."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._frontier = Frontier()
        self._heap: list[_Candidate] = []
        self._found = 0

    async def choose(self, walk: Walk) -> Move:
        """Return the best link that leads to a page not opened yet."""
        wanted = set(words(walk.question))
        for click in self._frontier.fresh(walk):
            self._found += 1  # also keeps the heap from comparing clicks
            shared = len(wanted.intersection(words(click.link.label)))
            heapq.heappush(self._heap, _Candidate(-shared, self._found, click))
        while self._heap and self._heap[0].click.link.url in walk.opened:
            heapq.heappop(self._heap)
        return self._heap[0].click if self._heap else Enough("every link of the site was opened")


policy = WordOverlap
